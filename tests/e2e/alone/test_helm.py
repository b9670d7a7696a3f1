"""The Helm chart on a real cluster, from installation to uninstallation.

It takes over what kubectl installed, and no call to a hub fails meanwhile.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.installation import Installation
from tools.programs.build import ensure_program
from tools.quickstart.calls import call_tool
from tools.quickstart.site import OPERATOR_NAMESPACE
from tools.quickstart.trial import OPERATOR, SERVER
from tools.release.chart import CHART

HELM_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Calls:
    """What became of the calls that went on all the while."""

    answered: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@contextmanager
def calls_going_on(installation: Installation) -> Iterator[Calls]:
    """Call a tool of the hub `demo` over and over, each time with a new client."""
    calls, end = Calls(), threading.Event()
    url, token = f"{installation.base_url}/mcp", installation.token()

    def call() -> None:
        while not end.is_set():
            try:
                answer = call_tool(url, token, "health_check", {})
                calls.answered.append(str(answer.result))
            except Exception as error:  # noqa: BLE001 -- whatever fails, fails the test
                calls.failed.append(repr(error))

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield calls
    finally:
        end.set()
        thread.join()


@dataclass(frozen=True, slots=True)
class Helm:
    """The release `mcphub` on the cluster of an installation."""

    installation: Installation
    program: Path

    def run(self, *words: str | Path) -> str:
        """Run Helm in the operator's namespace."""
        return self.installation.shell.capture(
            *(self.program, *words, "--namespace", OPERATOR_NAMESPACE),
            *("--kubeconfig", self.installation.trial.site.kubeconfig),
            timeout_seconds=HELM_SECONDS,
        )

    def image_values(self) -> list[str]:
        """Return the options that name this checkout's images."""
        trial, shell = self.installation.trial, self.installation.shell
        words = []
        for value, image in (("image", OPERATOR), ("serverImage", SERVER)):
            name, _, tag = trial.image(shell, image).rpartition(":")
            words += ["--set", f"{value}.repository={name},{value}.tag={tag}"]
        return [*words, "--set", "image.pullPolicy=IfNotPresent"]


@dataclass(frozen=True, slots=True)
class Life:
    """What was seen in the life of a release."""

    calls: Calls
    workers: tuple[str, ...]
    tested: str
    pods_before: frozenset[str]
    pods_after: frozenset[str]
    left: frozenset[str]


def find_workers(installation: Installation) -> str:
    """Return the operator's setting of MCPHUB_WORKERS; empty: it has none."""
    deployment = installation.operator.get("deployment", "mcphub-operator")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {e["name"]: e["value"] for e in container["env"]}.get("MCPHUB_WORKERS", "")


def find_left(installation: Installation) -> frozenset[str]:
    """Return what of an installation and of its hubs is there."""
    there = {
        name
        for name in ("deployment", "serviceaccount", "networkpolicy")
        if installation.operator.exists(name, "mcphub-operator")
    }
    crd = installation.exists("customresourcedefinition", "mcphubs.mcp.bigtorig.com")
    hub = crd and installation.exists("mcphub", "demo")
    return frozenset(
        there | ({"definition"} if crd else set()) | ({"hub"} if hub else set())
    )


@pytest.fixture(scope="module")
def life(installation: Installation, stopwatch) -> Iterator[Life]:
    """Install over kubectl's installation, test, upgrade, roll back and uninstall."""
    helm = Helm(installation, ensure_program("helm4"))
    installation.wait_settled("demo")
    before = frozenset(installation.pod_names("demo"))
    wait = ("--wait", "--timeout", "4m")
    take_over = ("--take-ownership", "--force-conflicts")
    with stopwatch("Helm: install, test, upgrade, rollback, uninstall"):
        with calls_going_on(installation) as calls:
            helm.run(
                *("install", "mcphub", CHART, *take_over, *wait, *helm.image_values())
            )
            tested = helm.run("test", "mcphub")
            changed = ("--reset-then-reuse-values", "--set", "settings.workers=8")
            helm.run("upgrade", "mcphub", CHART, *changed, *wait)
            workers = [find_workers(installation)]
            helm.run("rollback", "mcphub", "1", *wait)
            workers.append(find_workers(installation))
            helm.run("uninstall", "mcphub", *wait)
        left, after = find_left(installation), installation.pod_names("demo")
    yield Life(calls, tuple(workers), tested, before, frozenset(after), left)
    installation.trial.install_operator(installation.shell)


def test_no_call_fails_from_installation_to_uninstallation(life: Life):
    assert life.calls.failed == []
    assert len(life.calls.answered) > 10


def test_the_pods_of_hubs_stay(life: Life):
    assert life.pods_after == life.pods_before


def test_helm_test_finds_a_leader(life: Life):
    assert "Phase:          Succeeded" in life.tested


def test_an_upgrade_changes_settings_and_a_rollback_restores_them(life: Life):
    assert life.workers == ("8", "")


def test_uninstalling_leaves_the_definition_and_the_hubs(life: Life):
    assert life.left == {"definition", "hub"}
