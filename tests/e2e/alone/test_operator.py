"""The operator's own life on a real cluster: two replicas, few rights, a wrong CRD."""

import json
from datetime import datetime

import pytest

from benchmarks.faults.killing import kill_pod_processes
from tests.support.hub_manifests import hub
from tests.support.installation import Installation
from tools.quickstart.site import OPERATOR_NAMESPACE
from tools.quickstart.steps import StepFailedError

OPERATORS = "app.kubernetes.io/name=mcphub-operator"
DEPLOYMENT = "deployment/mcphub-operator"
ROLLOUT = "180s"
CRD = "mcphubs.mcp.bigtorig.com"
KILLED_SECONDS = 15
"""How long hubs may be without a leader that died: 10 s until its Lease runs out, and
the time between two looks of the other processes."""

HOLDER = ".spec.holderIdentity"
LEASE = ".spec['holderIdentity','acquireTime','renewTime']"


def leader(operator: Installation) -> str:
    """The process that holds the Lease: its pod's name, and a part of its own."""
    spec = operator.get("lease", "mcphub-operator")["spec"]
    return str(spec.get("holderIdentity", ""))


def pod_of(process: str) -> str:
    return process.partition("_")[0]


def wait_other_leader(operator: Installation, old: str) -> None:
    """Wait for another process; a container that starts again runs another one."""
    operator.until("another leader", lambda: leader(operator) not in ("", old))


def leaderless_seconds(leases: list[str], old: str) -> float:
    """The time from a leader's last renewal until another process had the Lease.

    By the times that the processes wrote, which no slow look at them makes longer.
    """
    renewed = [lease.split()[2] for lease in leases if lease.startswith(old)][-1]
    taken = next(lease.split()[1] for lease in leases if not lease.startswith(old))
    return (
        datetime.fromisoformat(taken) - datetime.fromisoformat(renewed)
    ).total_seconds()


class TestTwoReplicas:
    def test_are_both_ready_and_one_leads(self, installation: Installation):
        operator = installation.operator
        operator.kubectl("rollout", "status", DEPLOYMENT, f"--timeout={ROLLOUT}")

        pods = operator.names("pods", OPERATORS)

        assert len(pods) == 2
        # The Lease may still name a process of before the rollout.
        operator.until(
            "one of them leads", lambda: f"pod/{pod_of(leader(operator))}" in pods
        )

    def test_take_over_from_a_leader_that_is_killed(
        self, installation: Installation, stopwatch
    ):
        operator = installation.operator
        old = leader(operator)
        pod = operator.get("pod", pod_of(old))

        with (
            operator.watched("lease", "mcphub-operator", LEASE) as leases,
            stopwatch("leader killed -> another process leads"),
        ):
            kill_pod_processes(pod["metadata"]["uid"])
            wait_other_leader(operator, old)

        ended = "{.status.containerStatuses[0].lastState.terminated.exitCode}"
        operator.wait(f"pod/{pod_of(old)}", f"jsonpath={ended}=137")
        assert leaderless_seconds(leases, old) < KILLED_SECONDS

    def test_take_over_at_once_from_a_leader_that_is_told_to_end(
        self, installation: Installation, stopwatch
    ):
        """It gives the Lease back, so that no process waits until it runs out."""
        operator = installation.operator
        operator.kubectl("rollout", "status", DEPLOYMENT, f"--timeout={ROLLOUT}")
        old = leader(operator)

        with (
            operator.watched("lease", "mcphub-operator", HOLDER) as holders,
            stopwatch("leader deleted -> another process leads"),
        ):
            operator.kubectl("delete", "pod", pod_of(old), "--wait=false")
            wait_other_leader(operator, old)

        assert holders[:2] == [old, ""]
        assert pod_of(holders[2]) != pod_of(old)
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
        assert f"pod/{pod_of(leader(operator))}" in old

        installation.trial.install_operator(installation.shell)
        operator.kubectl("rollout", "status", DEPLOYMENT, f"--timeout={ROLLOUT}")


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
