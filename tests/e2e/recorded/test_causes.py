"""One hub and each cause that keeps its pods from being there, on real nodes.

What a cause is told from is also tested without a cluster, quicker and in more cases;
here kubelets, controllers and admission write what they really write.
"""

import json
from typing import Any

import pytest

from tests.e2e.states import CAUSES, HUB, PAGE, StatusCaptures
from tests.support.hub_manifests import autoscaler, backend, hub, secret
from tests.support.installation import Installation
from tools.quickstart.site import NAMESPACE
from tools.quickstart.trial import DATABASE

DEPLOYMENT = f"deployment/{HUB}"
_GROUP, _OF_CLUSTER = CAUSES
FILL = "import os; os.posix_fallocate(os.open('/tmp/full', 65), 0, 200_000_000)"
"""More than the pod's scratch volume may hold, at once: the pod may end while it is
written, and kubectl would fail with it."""


@pytest.fixture(scope="module")
def scaled(installation: Installation) -> Installation:
    """Two autoscalers of one selector; Kubernetes then scales by neither.

    It begins early, because the hub shows it after two minutes.
    """
    team = installation.open_namespace("autoscaled")
    team.apply(hub(HUB, autoscaling={"minReplicas": 1, "maxReplicas": 2}))
    team.wait_settled(HUB)
    labels = {"app.kubernetes.io/instance": HUB}
    image = team.get("deployment", HUB)["spec"]["template"]["spec"]["containers"][0]
    container = {"name": "idle", "image": image["image"], "command": ["sleep", "3600"]}
    theirs = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "theirs"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container]},
            },
        },
    }
    team.apply(theirs, autoscaler("Deployment", "theirs", 1, 2, 80))
    return team


@pytest.fixture(scope="module")
def team(installation: Installation, scaled: Installation) -> Installation:
    """A hub of two replicas, made when the one of `scaled` waits already."""
    del scaled
    team = installation.open_namespace("causes")
    team.apply(hub(HUB, replicas=2))
    team.wait_settled(HUB)
    return team


def change(team: Installation, spec: dict[str, Any]) -> None:
    patch = json.dumps({"spec": spec})
    team.kubectl("patch", "mcphub", HUB, "--type=merge", "-p", patch)


def change_pods(team: Installation, spec: dict[str, Any]) -> None:
    patch = json.dumps({"spec": {"template": {"spec": spec}}})
    team.kubectl("patch", DEPLOYMENT, "-p", patch)


def replace_pods(team: Installation, why: str) -> None:
    restart = f"mcp.bigtorig.com/restart={why}"
    team.kubectl("annotate", "mcphub", HUB, restart, "--overwrite")


def old_pod(team: Installation) -> str:
    """A pod that serves."""
    ready = "{.items[?(@.status.containerStatuses[0].ready==true)].metadata.name}"
    return team.kubectl("get", "pods", "-o", f"jsonpath={ready}").split()[0]


@pytest.mark.parametrize(
    ("spec", "reason", "words"),
    [
        pytest.param(
            {"pod": {"nodeSelector": {"disk": "fast"}}},
            "Unschedulable",
            "didn't match Pod's node affinity/selector",
            id="`spec.pod.nodeSelector` names a label that no node has.",
        ),
        pytest.param(
            {"resources": {"requests": {"cpu": "200"}, "limits": {"cpu": "200"}}},
            "Unschedulable",
            "Insufficient cpu",
            id="`spec.resources` asks for more than a node has.",
        ),
        pytest.param(
            {"pod": {"priorityClassName": "urgent"}},
            "PodsRefused",
            "urgent",
            id="`spec.pod.priorityClassName` names a class that does not exist.",
        ),
        pytest.param(
            {"image": "registry.invalid/mcphub-server:1.0.0"},
            "ImagePullFailed",
            "does not reach the registry",
            id="`spec.image` names a registry that does not answer.",
        ),
        pytest.param(
            {"image": "mcphub-server:not-there", "imagePullPolicy": "Never"},
            "ImagePullFailed",
            "spec.imagePullPolicy is Never",
            id="`spec.imagePullPolicy` is Never, and the nodes lack the image.",
        ),
        pytest.param(
            {"image": "MCPHUB:1"},
            "ImagePullFailed",
            "not valid",
            id="`spec.image` is no name of an image.",
        ),
        pytest.param(
            {
                "resources": {
                    "requests": {"memory": "48Mi"},
                    "limits": {"memory": "48Mi"},
                }
            },
            "OutOfMemory",
            "more memory than its limit",
            id="`spec.resources.limits.memory` is too low.",
        ),
        pytest.param(
            {"service": {"type": "LoadBalancer"}},
            "AddressPending",
            "has no address yet",
            id="The cluster has no controller for load balancers.",
        ),
        pytest.param(
            {"route": {"parentRefs": [{"name": "edge"}], "hostnames": ["a.example"]}},
            "NotRouted",
            "Gateway API",
            id="`spec.route` is set, and the cluster has no Gateway API.",
        ),
        pytest.param(
            {"auth": {"tokensSecretRef": {"name": "clients"}}},
            "TokensRefused",
            "alice",
            id="A client's token is a placeholder.",
        ),
        pytest.param(
            {"backends": [backend(host="nowhere.invalid")]},
            "BackendsDown",
            "postgres",
            id="The only database has no address.",
        ),
    ],
)
def test_a_spec_that_cannot_be(
    team: Installation,
    captures: StatusCaptures,
    request: pytest.FixtureRequest,
    spec: dict[str, Any],
    reason: str,
    words: str,
):
    team.apply(secret("clients", {"alice": "change-me"}))
    change(team, spec)
    team.wait_reason(HUB, "Ready", reason)
    team.until("its words", lambda: words in message(team))

    captures.take_cause(team, _GROUP, request.node.callspec.id)

    back = {"backends": [backend()]} if "backends" in spec else dict.fromkeys(spec)
    change(team, back)
    team.wait_settled(HUB)
    team.wait_reason(HUB, "Ready", "Available")


def message(team: Installation) -> str:
    return str(team.condition(HUB, "Ready")["message"])


def test_an_image_of_something_else(team: Installation, captures: StatusCaptures):
    change(team, {"image": team.trial.image(team.shell, DATABASE)})
    team.wait_reason(HUB, "Ready", "CrashLooping")

    captures.take_cause(team, _GROUP, "`spec.image` is the image of another program.")

    assert "kubectl logs -p" in message(team)
    change(team, {"image": None})
    team.wait_settled(HUB)


def test_a_taken_node_port(team: Installation, captures: StatusCaptures):
    (port,) = team.at(NAMESPACE).get("service", "demo")["spec"]["ports"]
    change(team, {"service": {"type": "NodePort", "nodePort": port["nodePort"]}})
    team.wait_reason(HUB, "Ready", "NodePortUnavailable")

    captures.take_cause(team, _GROUP, "Another Service has the `nodePort`.")

    assert str(port["nodePort"]) in message(team)
    change(team, {"service": None})
    team.wait_settled(HUB)


def test_a_quota(team: Installation, captures: StatusCaptures):
    team.kubectl("create", "quota", "few", "--hard=pods=2")
    counted = "jsonpath={.status.used.pods}=2"
    team.wait("resourcequota/few", counted)
    replace_pods(team, "quota")
    team.wait_reason(HUB, "Ready", "PodsRefused")

    captures.take_cause(team, _GROUP, "A quota of the namespace has no pod left.")

    assert "exceeded quota: few" in message(team)
    team.kubectl("delete", "quota", "few")
    team.wait_settled(HUB)


def test_a_policy_that_denies(team: Installation, captures: StatusCaptures):
    rule = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["UPDATE"],
        "resources": ["deployments"],
    }
    scope = {"matchLabels": {"kubernetes.io/metadata.name": "causes"}}
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "no"}}
    policy = {
        "kind": "ValidatingAdmissionPolicy",
        "spec": {
            "matchConstraints": {"resourceRules": [rule], "namespaceSelector": scope},
            "validations": [{"expression": "false", "message": "frozen this week"}],
        },
    }
    binding = {
        "kind": "ValidatingAdmissionPolicyBinding",
        "spec": {"policyName": "no", "validationActions": ["Deny"]},
    }
    team.apply(head | policy, head | binding)
    denied = ("annotate", DEPLOYMENT, "denied=yes", "--dry-run=server", "--overwrite")
    team.until("the policy", lambda: "frozen" in said(team, *denied))
    replace_pods(team, "denied")
    team.wait_reason(HUB, "Ready", "WriteDenied")

    captures.take_cause(team, _GROUP, "An admission policy denies the Deployment.")

    assert "frozen this week" in message(team)
    team.kubectl(
        "delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", "no"
    )
    team.until("writes", lambda: "frozen" not in said(team, *denied))
    replace_pods(team, "allowed")
    team.wait_settled(HUB)


def said(team: Installation, *arguments: str) -> str:
    try:
        return team.kubectl(*arguments)
    except Exception as refusal:  # noqa: BLE001 - whatever kubectl says
        return str(refusal)


def test_a_missing_volume(team: Installation, captures: StatusCaptures):
    volume = {"name": "proxy", "configMap": {"name": "proxy-settings"}}
    mount = {"name": "proxy", "mountPath": "/etc/proxy"}
    server = {"name": "server", "volumeMounts": [mount]}
    change_pods(team, {"volumes": [volume], "containers": [server]})
    team.wait_reason(HUB, "Ready", "ConfigurationError")

    what = "A volume that was added to the Deployment has no ConfigMap."
    captures.take_cause(team, _GROUP, what)

    assert "ConfigMap proxy-settings" in message(team)
    server["volumeMounts"] = [{"mountPath": "/etc/proxy", "$patch": "delete"}]
    volume = {"name": "proxy", "$patch": "delete"}
    change_pods(team, {"volumes": [volume], "containers": [server]})
    team.wait_settled(HUB)


def test_a_paused_rollout(team: Installation, captures: StatusCaptures):
    team.kubectl("rollout", "pause", DEPLOYMENT)
    replace_pods(team, "paused")
    team.wait_reason(HUB, "Ready", "RolloutPaused")

    captures.take_cause(team, _GROUP, "`kubectl rollout pause`, then a change.")

    team.kubectl("rollout", "resume", DEPLOYMENT)
    team.wait_settled(HUB)


@pytest.fixture
def waiting(team: Installation) -> Installation:
    """The hub while a new pod waits for a scheduler that does not run.

    Pods that end are replaced within seconds; so the hub stays short of a pod.
    """
    change_pods(team, {"schedulerName": "absent"})
    team.wait(f"mcphub/{HUB}", "condition=Reconciling")
    yield team
    change_pods(team, {"schedulerName": "default-scheduler"})
    team.kubectl("delete", "pods", "--field-selector=status.phase=Failed")
    team.wait_settled(HUB)


def test_an_evicted_pod(waiting: Installation, captures: StatusCaptures):
    waiting.kubectl("exec", old_pod(waiting), "--", "python", "-c", FILL)
    waiting.wait_reason(HUB, "Ready", "PodsEvicted")

    captures.take_cause(waiting, _GROUP, "A pod wrote more files than it may.")

    assert "exceeds" in message(waiting)


def test_an_ended_pod(waiting: Installation, captures: StatusCaptures):
    deadline = '{"spec":{"activeDeadlineSeconds":1}}'
    waiting.kubectl("patch", "pod", old_pod(waiting), "-p", deadline)
    waiting.wait_reason(HUB, "Ready", "PodsEnded")

    captures.take_cause(waiting, _GROUP, "Another program ended a pod as a whole.")

    assert "DeadlineExceeded" in message(waiting)


def test_an_autoscaler_that_fails(scaled: Installation, captures: StatusCaptures):
    scaled.wait_reason(HUB, "Ready", "AutoscalerFailed")

    captures.take_cause(scaled, _GROUP, "Another autoscaler selects the same pods.")

    assert f"HorizontalPodAutoscaler {HUB} does not scale" in message(scaled)


@pytest.mark.parametrize("group", CAUSES)
def test_the_page_for_those_on_call_shows_them(group: str):
    assert f"<!-- {group} -->" in PAGE.read_text(), PAGE
