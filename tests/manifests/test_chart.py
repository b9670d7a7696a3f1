"""The Helm chart installs what config/ installs, and refuses what cannot work."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis_jsonschema import from_schema

from mcphub_operator.settings import parse_settings
from tests.support.hub_api import HubApi
from tools.cluster.commands import run
from tools.programs.build import ensure_program
from tools.project import ROOT
from tools.release.chart import CHART

Objects = list[dict[str, Any]]
Build = Callable[[str], Objects]
Identity = tuple[str, str, str, str]

VALUES = ROOT / "charts" / "values"
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
# Helm 3 takes another version than that of its libraries only by this option.
CLUSTER = ("--namespace", "mcphub-system", "--kube-version", "1.36")
SERVED = ("--api-versions", "monitoring.coreos.com/v1")
RELEASE_LABELS = {
    "helm.sh/chart",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/version",
}
INSTALLATIONS = [
    pytest.param("default", (), id="default values"),
    pytest.param("namespaced", ("-f", VALUES / "namespaced.yaml"), id="namespaces"),
    pytest.param(
        "overlays/prod monitoring",
        ("-f", VALUES / "production.yaml", *SERVED),
        id="production",
    ),
]


@cache
def helm() -> Path:
    return ensure_program(os.environ.get("MCPHUB_HELM", "helm4"))


def template(*arguments: str | Path, stdin: str | None = None) -> Objects:
    release = ("mcphub", CHART, *CLUSTER)
    words = [helm(), "template", *release, "--skip-tests", *arguments]
    return read_objects(run(words, stdin=stdin))


def read_objects(text: str) -> Objects:
    """Read manifests with libyaml: the definition is long."""
    return [o for o in yaml.load_all(text, yaml.CSafeLoader) if o]


def with_values(values: Mapping[str, Any], *arguments: str | Path) -> Objects:
    return template("-f", "-", *arguments, stdin=as_json(values))


def as_json(values: Mapping[str, Any]) -> str:
    """Write values as JSON that is YAML, too: it has no pairs of surrogates."""
    text = json.dumps(values, ensure_ascii=False)
    return re.sub(r"[\x7f-\x9f\ufffe\uffff]", lambda m: f"\\u{ord(m[0]):04x}", text)


def identity(each: dict[str, Any]) -> Identity:
    metadata = each["metadata"]
    return (
        each["apiVersion"],
        each["kind"],
        metadata.get("namespace", ""),
        metadata["name"],
    )


def plain(each: dict[str, Any]) -> dict[str, Any]:
    """Remove what Helm adds, and give lists that merge by name one order."""
    metadata = dict(each["metadata"])
    labels = dict(metadata.pop("labels", {}))
    metadata["labels"] = {k: v for k, v in labels.items() if k not in RELEASE_LABELS}
    annotations = dict(metadata.pop("annotations", {}))
    annotations.pop("helm.sh/resource-policy", None)
    metadata["annotations"] = annotations
    return sort_environment(each | {"metadata": metadata})


def sort_environment(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            key: sorted(value, key=lambda variable: str(variable["name"]))
            if key == "env"
            else sort_environment(value)
            for key, value in part.items()
        }
    return [sort_environment(p) for p in part] if isinstance(part, list) else part


def by_identity(objects: Iterable[dict[str, Any]]) -> dict[Identity, dict[str, Any]]:
    return {identity(each): plain(each) for each in objects}


@pytest.mark.parametrize(("folder", "arguments"), INSTALLATIONS)
def test_the_chart_makes_what_config_makes(
    build: Build, folder: str, arguments: tuple[str | Path, ...]
) -> None:
    objects = [o for part in folder.split() for o in build(part)]
    expected = by_identity(o for o in objects if o["kind"] != "Namespace")

    made = by_identity(template(*arguments))

    assert made == expected


@pytest.mark.parametrize("arguments", [case.values[1] for case in INSTALLATIONS])
def test_every_object_carries_the_labels_of_its_release(
    arguments: tuple[str | Path, ...],
) -> None:
    labels = [o["metadata"]["labels"] for o in template(*arguments)]

    assert all(each.keys() >= RELEASE_LABELS for each in labels)


def test_uninstalling_keeps_the_definition_and_the_hubs() -> None:
    kept = [
        o["kind"]
        for o in template()
        if "helm.sh/resource-policy" in o["metadata"].get("annotations", {})
    ]

    assert kept == ["CustomResourceDefinition"]


@pytest.mark.parametrize(
    ("values", "gone"),
    [
        ({"crds": {"enabled": False}}, {"CustomResourceDefinition"}),
        ({"networkPolicy": {"enabled": False}}, {"NetworkPolicy"}),
        ({"podDisruptionBudget": {"enabled": False}}, {"PodDisruptionBudget"}),
        ({"namespaces": ["a", "b"]}, {"ClusterRoleBinding"}),
    ],
    ids=str,
)
def test_a_switch_removes_its_objects_only(
    values: dict[str, Any], gone: set[str]
) -> None:
    everything = {o["kind"] for o in template()}

    made = {o["kind"] for o in with_values(values)}

    assert everything - made == gone


def test_monitors_need_a_cluster_that_serves_them() -> None:
    said = refusal({"monitoring": {"enabled": True}})

    assert "this cluster does not serve monitoring.coreos.com/v1" in said


def test_a_first_hub_is_created_once_and_left_alone() -> None:
    backend = {"name": "pg", "postgres": {"host": "db", "database": "app"}}
    values = {
        "hub": {"enabled": True, "name": "first", "spec": {"backends": [backend]}}
    }

    (hub,) = [o for o in with_values(values) if o["kind"] == "McpHub"]

    assert hub["metadata"]["annotations"] == {"helm.sh/hook": "post-install"}
    assert hub["spec"] == {"backends": [backend]}


def test_settings_reach_the_operator_as_it_reads_them() -> None:
    chosen = {
        "logLevel": "debug",
        "logFormat": "text",
        "workers": 4,
        "upgradeConcurrency": 2,
        "relistSeconds": 7.5,
        "podAccess": "direct",
        "routes": False,
    }
    image = {"pullSecrets": [{"name": "a"}, {"name": "b"}]}
    objects = with_values(
        {"settings": chosen, "fullnameOverride": "second", "serverImage": image}
    )
    (deployment,) = [o for o in objects if o["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]

    read = parse_settings([], {e["name"]: e["value"] for e in container["env"]})

    assert (read.log_level, read.log_format, read.workers) == ("debug", "text", 4)
    assert (read.upgrade_concurrency, read.relist_seconds) == (2, 7.5)
    assert (read.pod_access, read.lease_name) == ("direct", "second")
    assert read.image_pull_secrets == ("a", "b")
    assert not read.routes


@pytest.mark.parametrize("namespaces", [[], ["a"]], ids=["everywhere", "in one"])
def test_an_operator_without_routes_has_no_permission_for_them(
    namespaces: list[str],
) -> None:
    def list_resources(*, routes: bool) -> set[str]:
        values = {"settings": {"routes": routes}, "namespaces": namespaces}
        roles = [o for o in with_values(values) if "rules" in o]
        return {r for o in roles for rule in o["rules"] for r in rule["resources"]}

    gone = list_resources(routes=True) - list_resources(routes=False)

    assert gone == {"ingresses", "httproutes"}


def test_labels_of_pods_cannot_replace_those_of_the_selector() -> None:
    labels = {"app.kubernetes.io/name": "other", "team": "data"}
    objects = with_values({"podLabels": labels})

    (deployment,) = [o for o in objects if o["kind"] == "Deployment"]

    made = deployment["spec"]["template"]["metadata"]["labels"]
    assert made["team"] == "data"
    assert made.items() >= deployment["spec"]["selector"]["matchLabels"].items()


def test_large_numbers_are_not_written_as_floats() -> None:
    values = {"settings": {"relistSeconds": 86_400_000}}
    (deployment,) = [o for o in with_values(values) if o["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]

    read = parse_settings([], {e["name"]: e["value"] for e in container["env"]})

    assert read.relist_seconds == 86_400_000


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"replica": 2}, "replica"),
        ({"replicas": "two"}, "replicas"),
        ({"registry": "https://registry.example.com"}, "registry"),
        ({"image": {"digest": "sha256:short"}}, "digest"),
        ({"namespaces": ["Team A"]}, "namespaces"),
        ({"settings": {"logLevel": "loud"}}, "logLevel"),
        ({"hub": {"enabled": True}}, "backends"),
        ({"podLabels": {"team": "not a label"}}, "podLabels"),
    ],
    ids=str,
)
def test_values_that_cannot_work_are_refused_by_name(
    values: dict[str, Any], says: str
) -> None:
    assert says in refusal(values)


def refusal(values: Mapping[str, Any]) -> str:
    """Return what Helm says against the values; its sentence spans lines."""
    words = [helm(), "template", "mcphub", CHART, *CLUSTER, "-f", "-"]
    done = subprocess.run(
        words, input=as_json(values), capture_output=True, text=True, check=False
    )
    assert done.returncode
    return done.stderr


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(values=from_schema(SCHEMA, allow_x00=False, codec="ascii"))
def test_any_values_that_the_schema_accepts_make_sound_manifests(
    values: dict[str, Any],
) -> None:
    without_definition = values | {"crds": {"enabled": False}}  # it is long

    objects = with_values(without_definition, *SERVED)

    identities = [identity(each) for each in objects]
    assert len(set(identities)) == len(identities)
    assert ("apps/v1", "Deployment") in {i[:2] for i in identities}


def test_the_api_server_takes_every_object_of_the_chart(api: HubApi) -> None:
    for name in ("hubs", "mcphub-system"):
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name},
        }
        api.server.run_kubectl("apply", "-f", "-", stdin=json.dumps(namespace))
    release = ("mcphub", CHART, *CLUSTER)
    everything = run([helm(), "template", *release, "-f", VALUES / "namespaced.yaml"])

    said = api.server.run_kubectl(
        "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=everything
    )

    objects = read_objects(everything)
    assert said.count("serverside-applied") == len(objects)
