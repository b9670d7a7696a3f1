"""The operator's own life on a real cluster: two replicas, few rights, a wrong CRD."""

import json
import time

import pytest

from tests.support.hub_manifests import hub
from tests.support.installation import Installation
from tools.quickstart.site import OPERATOR_NAMESPACE
from tools.quickstart.steps import StepFailedError
from tools.quickstart.trial import SERVER

pytestmark = pytest.mark.timeout(600)

OPERATORS = "app.kubernetes.io/name=mcphub-operator"
DEPLOYMENT = "deployment/mcphub-operator"
CRD = "mcphubs.mcp.bigtorig.com"
KILLED_SECONDS = 15
ENDED_SECONDS = 5


def leader(operator: Installation) -> str:
    """The pod that holds the Lease."""
    held = operator.get("lease", "mcphub-operator")["spec"].get("holderIdentity", "")
    return str(held).split("_")[0]


def wait_other_leader(operator: Installation, old: str) -> float:
    began = time.monotonic()
    operator.until("another leader", lambda: leader(operator) not in ("", old))
    return time.monotonic() - began


def kill(operator: Installation, pod: str) -> None:
    """End a pod's process without a word, as the kernel does when memory is short.

    A process that is the first of its container is safe from those in the
    container: this comes from a pod that sees its node's processes.
    """
    script = (
        "import os, pathlib, signal\n"
        "for process in pathlib.Path('/proc').glob('[0-9]*'):\n"
        "    try:\n"
        "        found = (process / 'environ').read_bytes().split(b'\\0')\n"
        "    except OSError:\n"
        "        continue\n"
        f"    if b'HOSTNAME={pod}' in found:\n"
        "        os.kill(int(process.name), signal.SIGKILL)\n"
    )
    killer = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"killer-of-{pod}"[:63]},
        "spec": {
            "hostPID": True,
            "restartPolicy": "Never",
            "nodeName": operator.get("pod", pod)["spec"]["nodeName"],
            "securityContext": {"runAsUser": 65532, "runAsGroup": 65532},
            "containers": [
                {
                    "name": "killer",
                    "image": operator.trial.image(operator.shell, SERVER),
                    "command": ["python", "-c", script],
                }
            ],
        },
    }
    operator.at("default").apply(killer)


class TestTwoReplicas:
    def test_are_both_ready_and_one_leads(self, installation: Installation):
        operator = installation.operator
        operator.kubectl("rollout", "status", DEPLOYMENT, "--timeout=60s")

        pods = operator.names("pods", OPERATORS)

        assert len(pods) == 2
        assert f"pod/{leader(operator)}" in pods

    def test_take_over_from_a_leader_that_is_killed(
        self, installation: Installation, stopwatch
    ):
        operator = installation.operator
        old = leader(operator)

        with stopwatch("leader killed -> the other replica leads"):
            kill(operator, old)
            took = wait_other_leader(operator, old)

        ended = "{.status.containerStatuses[0].lastState.terminated.exitCode}"
        operator.wait(f"pod/{old}", f"jsonpath={ended}=137")
        assert took < KILLED_SECONDS

    def test_take_over_at_once_from_a_leader_that_is_told_to_end(
        self, installation: Installation, stopwatch
    ):
        operator = installation.operator
        operator.kubectl("rollout", "status", DEPLOYMENT, "--timeout=60s")
        old = leader(operator)

        with stopwatch("leader deleted -> the other replica leads"):
            operator.kubectl("delete", "pod", old, "--wait=false")
            took = wait_other_leader(operator, old)

        assert took < ENDED_SECONDS
        installation.kubectl("scale", "mcphub/demo", "--replicas=1")
        installation.wait_replicas("demo", 1)
        installation.kubectl("scale", "mcphub/demo", "--replicas=2")
        installation.wait_replicas("demo", 2)


class TestAnOlderDefinition:
    def test_is_said_plainly_while_the_old_operator_goes_on(
        self, installation: Installation
    ):
        """A release whose CRD was forgotten: its pods do not become ready."""
        operator = installation.operator
        old = operator.names("pods", OPERATORS)
        path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties"
        drop = [{"op": "remove", "path": f"{path}/trustedProxies"}]

        operator.kubectl("patch", "crd", CRD, "--type=json", "-p", json.dumps(drop))
        operator.kubectl("rollout", "restart", DEPLOYMENT)
        operator.until("a pod", lambda: bool(operator.names("pods", OPERATORS) - old))
        (young,) = operator.names("pods", OPERATORS) - old
        operator.until("its log", lambda: "not_started" in logs(operator, young))

        said = next(x for x in logs(operator, young).splitlines() if "not_started" in x)
        assert "older than this operator and lacks spec.trustedProxies" in said
        assert "kubectl apply" in said
        assert f"pod/{leader(operator)}" in old

        installation.trial.install_operator(installation.shell)
        operator.kubectl("rollout", "status", DEPLOYMENT, "--timeout=90s")


def logs(operator: Installation, pod: str) -> str:
    try:
        return operator.kubectl("logs", pod)
    except StepFailedError:  # the container is still being made
        return ""


@pytest.fixture(scope="module")
def narrow(installation: Installation):
    """The namespace `hubs`, where alone the operator has rights."""
    installation.open_namespace("hubs")
    bindings = ("mcphub-operator", "mcphub-operator-nodes")
    installation.kubectl("delete", "clusterrolebinding", *bindings)
    installation.trial.install_operator(installation.shell, "namespaced")
    yield installation.at("hubs")
    installation.kubectl("delete", "namespace", "hubs", "--wait=false")
    installation.trial.install_operator(installation.shell)


class TestInOneNamespaceOnly:
    def test_a_hub_there_comes_up(self, narrow: Installation, stopwatch):
        with stopwatch("namespaced operator: hub applied -> database connected"):
            service = {"type": "NodePort"}
            narrow.apply(hub("inside", service=service))
            narrow.wait("mcphub/inside", "condition=Ready")
            narrow.wait("mcphub/inside", "condition=BackendsReachable")

        url = narrow.get("mcphub", "inside")["status"]["endpoints"]["mcp"]
        assert url == "http://inside.hubs.svc:8000/mcp"

    def test_a_hub_elsewhere_is_not_seen(self, narrow: Installation):
        may = ("auth", "can-i", "list", "mcphubs", "-n", "mcphub-demo")
        account = f"system:serviceaccount:{OPERATOR_NAMESPACE}:mcphub-operator"

        answer = narrow.refused(*may, f"--as={account}")

        assert "no" in answer
        said = narrow.operator.kubectl("logs", "-l", OPERATORS, "--tail=-1")
        refused = [line for line in said.splitlines() if "is forbidden" in line]
        # It asks for nodes, and does without: see the URL above.
        assert [line for line in refused if "nodes is forbidden" not in line] == []
