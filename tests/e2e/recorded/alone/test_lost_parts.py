"""A hub while a node, or the program that runs all controllers, does nothing.

The programs are stopped and continued by signals, from outside: a node is namespaces of
this machine, with or without Docker.
"""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.states import CAUSES, HUB, StatusCaptures
from tests.support.hub_manifests import hub
from tests.support.installation import Installation

_, GROUP = CAUSES


@pytest.fixture(scope="module")
def team(installation: Installation) -> Installation:
    team = installation.open_namespace("lost")
    team.apply(hub(HUB, replicas=2))
    team.wait_settled(HUB)
    return team


def find_process(program: str, place: str) -> int:
    """A program's process in the cluster or on the node of a name."""
    found = [
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if _is_process(folder, program, place)
    ]
    (process,) = found
    return process


def _is_process(folder: Path, program: str, place: str) -> bool:
    named = re.compile(rf"\b{re.escape(place)}\b")
    try:
        name, *arguments = (folder / "cmdline").read_text().split("\0")
        hostname = folder / "root" / "etc" / "hostname"
        inside = hostname.exists() and named.search(hostname.read_text())
    except OSError:
        return False  # it ended meanwhile
    return Path(name).name == program and bool(
        inside or any(map(named.search, arguments))
    )


@contextmanager
def stopped(process: int) -> Iterator[None]:
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def message(team: Installation) -> str:
    return str(team.condition(HUB, "Ready")["message"])


def test_a_node_that_does_not_report(team: Installation, captures: StatusCaptures):
    node = team.pods(HUB)[0]["spec"]["nodeName"]
    with stopped(find_process("kubelet", node)):
        team.wait_reason(HUB, "Ready", "NodeNotReady")

        captures.take_cause(team, GROUP, "A node's kubelet does not answer.")

        assert f"node {node} " in message(team)
    team.wait_settled(HUB)


@pytest.fixture
def uncontrolled(team: Installation) -> Iterator[Installation]:
    """The hub while no controller of Kubernetes does anything."""
    with stopped(find_process("kube-controller-manager", team.trial.site.cluster)):
        yield team
    team.wait_settled(HUB)


def test_a_change_that_no_controller_sees(
    uncontrolled: Installation, captures: StatusCaptures
):
    uncontrolled.kubectl("annotate", "mcphub", HUB, "mcp.bigtorig.com/restart=now")
    uncontrolled.wait_reason(HUB, "Ready", "ControllerUnavailable")

    what = "kube-controller-manager does not run, and the hub was changed."
    captures.take_cause(uncontrolled, GROUP, what)

    assert f"has looked at Deployment {HUB}" in message(uncontrolled)


def test_a_pod_that_no_controller_replaces(
    uncontrolled: Installation, captures: StatusCaptures
):
    uncontrolled.kubectl("delete", "pod", uncontrolled.pods(HUB)[0]["metadata"]["name"])
    uncontrolled.wait_reason(HUB, "Ready", "ControllerUnavailable")

    what = "kube-controller-manager does not run, and a pod was deleted."
    captures.take_cause(uncontrolled, GROUP, what)

    assert "says that 2 pods are ready" in message(uncontrolled)
