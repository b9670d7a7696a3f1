"""What can hold a password is not shown, wherever in an object it stands."""

from typing import Any

import pytest

from mcphub_server.errors import Rejected, ToolFailure
from mcphub_server.guards.kubernetes import names
from mcphub_server.guards.kubernetes.shown import LEFT_OUT, show_object

CANARY = "canary-password"

CONTAINER: dict[str, Any] = {
    "name": "app",
    "image": "shop:1",
    "command": ["run", CANARY],
    "args": [f"--password={CANARY}"],
    "env": [
        {"name": "PASSWORD", "value": CANARY},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ],
    "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "a", "value": CANARY}]}},
    "lifecycle": {"preStop": {"exec": {"command": [CANARY]}}},
}
ENDED = {"terminated": {"exitCode": 1, "message": CANARY}}
OBJECT: dict[str, Any] = {
    "kind": "CronJob",
    "metadata": {
        "name": "shop",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": CANARY},
        "managedFields": [{"manager": CANARY}],
    },
    "spec": {
        "jobTemplate": {
            "spec": {
                "template": {
                    "metadata": {"annotations": {"token": CANARY}},
                    "spec": {
                        "containers": [CONTAINER],
                        "initContainers": [CONTAINER],
                        "volumes": [{"csi": {"volumeAttributes": {"key": CANARY}}}],
                    },
                }
            }
        }
    },
    "status": {"containerStatuses": [{"lastState": ENDED, "state": ENDED}]},
    "data": {"password": CANARY},
}


def test_no_value_that_can_hold_a_password_is_shown():
    assert CANARY not in str(show_object(OBJECT))


def test_names_stay():
    shown = show_object(OBJECT)
    pod = shown["spec"]["jobTemplate"]["spec"]["template"]["spec"]

    variables = pod["containers"][0]["env"]
    assert variables[0] == {"name": "PASSWORD", "value": LEFT_OUT}
    assert variables[1]["valueFrom"]["secretKeyRef"] == {"name": "s", "key": "k"}
    assert pod["containers"][0]["image"] == "shop:1"
    assert shown["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"]


@pytest.mark.parametrize(
    "name",
    ["", "../secrets", "a/b", "a?b", "a%2fb", "A", "a..b", ".", "a" * 300, None, "a\n"],
)
def test_a_name_that_could_leave_its_place_in_a_path_is_refused(name):
    with pytest.raises(Rejected):
        names.check_name(name, "pod")


@pytest.mark.parametrize("kind", ["Secret", "secrets", "ConfigMap", "Node", "", None])
def test_other_kinds_are_refused(kind):
    with pytest.raises(Rejected):
        names.check_kind(kind)


@pytest.mark.parametrize("kind", ["Deployment", "deployment", "pods", "Pod"])
def test_known_kinds_pass_however_they_are_written(kind):
    assert names.check_kind(kind) in names.DESCRIBED


@pytest.mark.parametrize("selector", ["a=b&limit=1", "a=b#", "x" * 600, "a=b\r\nc", 1])
def test_a_selector_cannot_add_to_a_query(selector):
    with pytest.raises(ToolFailure):
        names.check_selector(selector)


@pytest.mark.parametrize("selector", ["app=shop", "app in (a,b),!tier", "a.b/c!=d"])
def test_an_ordinary_selector_passes(selector):
    assert names.check_selector(selector) == selector


def test_another_namespace_is_refused_with_those_that_there_are():
    with pytest.raises(Rejected, match="There are: data, shop"):
        names.check_namespace("kube-system", ("shop", "data"))
