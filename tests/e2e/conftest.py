"""One real cluster for all end-to-end tests, installed as `make quickstart` does.

The workers of pytest-xdist share it: the first one makes it, the last one takes it
down. Modules run side by side; one in the folder `alone`, which disturbs what others
rely on, waits until it has the cluster to itself.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_kind import KindCluster

from tests.e2e.states import (
    HUB,
    StatusCaptures,
    count_times,
    find_block,
    times_block,
    write_blocks,
)
from tests.support.failure_report import FailureReport
from tests.support.hub_manifests import hub
from tests.support.installation import Installation
from tests.support.shared_run import SharedRun, find_shared_run
from tools.ports import reserve_port
from tools.quickstart.site import KIND, NAMESPACE, Site, find_kubectl
from tools.quickstart.steps import Shell, Terminal
from tools.quickstart.trial import Trial

_HERE = Path(__file__).parent
_CLUSTER = "mcphub-e2e"
_UNNAMED = "pytest-kind"
"""What --cluster-name is without the option."""

LAST = ("test_first_light", "test_pods", "test_upgrades")
"""Upgrades late, since Kubernetes gives a rollout up only after three minutes."""

TEST_SECONDS = 600
_STUCK = "stuck upgrade"
_UPGRADE = "upgrade"
"""A namespace of several modules; the last one removes it."""
_TIMES = pytest.StashKey[list[tuple[str, float]]]()
_INSTALLED = pytest.StashKey[Installation]()
_BEGAN = pytest.StashKey[datetime]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TIMES] = []


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the modules in an order that saves time."""
    ours = {item: None for item in items if _HERE in item.path.parents}
    for item in ours:
        # Setting up may mean to wait for another module, or for the cluster.
        item.add_marker(pytest.mark.timeout(TEST_SECONDS, func_only=True))
    ordered = iter(sorted(ours, key=lambda item: _position(item.path)))
    items[:] = [next(ordered) if item in ours else item for item in items]


def _position(module: Path) -> int:
    late = LAST.index(module.stem) + 1 if module.stem in LAST else 0
    return late + (len(LAST) + 1) * _is_alone(module)


def _is_alone(module: Path) -> bool:
    return module.parent.name == "alone"


# ---------------------------------------------------------------- what is reported


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item):
    item.stash[_BEGAN] = datetime.now(UTC)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """Add the times that were taken, and to a failure what the cluster says."""
    report = yield
    times = item.config.stash[_TIMES]
    report.user_properties += [("seconds", taken) for taken in times]
    times.clear()
    if report.failed:
        report.sections += _explain(item)
    return report


def _explain(item: pytest.Item) -> list[tuple[str, str]]:
    """Ask about the namespace that the test is about: its own, if it has one.

    A fixture that failed is no argument yet; the namespace that it opened is known.
    """
    installed = item.config.stash.get(_INSTALLED, None)
    if installed is None:
        return []
    arguments = getattr(item, "funcargs", {})
    places = [one for one in arguments.values() if isinstance(one, Installation)]
    own = [place for place in places if place.namespace != NAMESPACE]
    opened = [installed.at(name) for name in installed.opened[-1:]]
    place = [*own, *places, *opened, installed][0]
    runs = arguments.get("runs", {})
    return FailureReport(place, item.stash[_BEGAN]).build(runs.values())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    reports = [one for found in terminalreporter.stats.values() for one in found]
    times = [
        tuple(value)
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "seconds"
    ]
    if times:
        terminalreporter.section("times on the real cluster")
    for what, seconds in times:
        terminalreporter.line(f"{seconds:7.1f} s  {what}")
    measured = [(what, s) for what, s in times if "->" in what]
    # A run of some tests keeps what all of them took.
    whole = len(measured) >= count_times(find_block("times"))
    if measured and whole and config.getoption("write_operations"):
        write_blocks({"times": times_block(measured, _conditions())})


def _conditions() -> str:
    """On what the times were measured, in a sentence."""
    load = os.getloadavg()[1]
    return (
        f"Measured on {datetime.now(UTC):%d %B %Y} on {os.cpu_count()} virtual CPUs"
        f" shared with other work (load {load:.1f}), which hold the cluster of three"
        " nodes too. A time ends when `kubectl wait` returned."
    )


@pytest.fixture(scope="package")
def stopwatch(request: pytest.FixtureRequest) -> Callable[[str], Any]:
    """`with stopwatch("what"):` puts a time into the closing summary."""

    @contextmanager
    def watch(what: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        request.config.stash[_TIMES].append((what, time.monotonic() - started))

    return watch


# ---------------------------------------------------------------- the cluster


@pytest.fixture(scope="package")
def shared_run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> SharedRun:
    return find_shared_run(request.config, tmp_path_factory.getbasetemp())


@pytest.fixture(scope="package")
def site(request: pytest.FixtureRequest, shared_run: SharedRun) -> Site:
    """A site of the tests' own; a cluster that was kept keeps its port."""
    name = request.config.getoption("cluster_name")
    cluster = _CLUSTER if name == _UNNAMED else name
    with shared_run.facts() as facts:
        if "port" not in facts:
            facts["port"] = _choose_port(request.config, cluster)
        state = shared_run.folder / "site"
        state.mkdir(exist_ok=True)
        return Site(cluster, state, facts["port"])


def _choose_port(config: pytest.Config, cluster: str) -> int:
    asked: int | None = config.getoption("hub_port")
    kept = Path(".pytest-kind") / cluster / "hub-port"
    if asked is None and config.getoption("keep_cluster") and kept.exists():
        return int(kept.read_text())
    port = asked or reserve_port()
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(str(port))
    return port


@pytest.fixture(scope="package")
def trial(site: Site) -> Trial:
    return Trial(site)


@pytest.fixture(scope="package")
def shell(site: Site) -> Iterator[Shell]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with (site.state / f"shell-{worker}.log").open("w") as log:
        yield Shell(log, Terminal())


@pytest.fixture(scope="package")
def kind_cluster(
    request: pytest.FixtureRequest,
    shared_run: SharedRun,
    trial: Trial,
    stopwatch,
) -> Iterator[KindCluster]:
    """pytest-kind's cluster, of three nodes and with the NodePort mapped.

    With --keep-cluster the one that an earlier run kept is taken again.
    """
    keep = request.config.getoption("keep_cluster")
    kind = Path(request.config.getoption("kind_bin") or KIND).resolve()
    site = trial.site
    cluster = KindCluster(
        site.cluster, site.kubeconfig, kind_path=kind, kubectl_path=Path(find_kubectl())
    )
    with shared_run.facts() as facts:
        if not facts.get("users"):
            _make_cluster(cluster, trial, stopwatch, keep=keep)
        facts["users"] = facts.get("users", 0) + 1
    yield cluster
    with shared_run.facts() as facts:
        facts["users"] -= 1
        if not facts["users"] and not keep:
            facts.pop("images", None)
            facts.pop(_STUCK, None)
            with stopwatch("cluster deleted"):
                cluster.delete()


def _make_cluster(cluster: KindCluster, trial: Trial, stopwatch, *, keep: bool) -> None:
    kind = cluster.kind_path
    if cluster.name in _clusters(kind):
        if keep:
            trial.site.kubeconfig.write_text(_kubeconfig(kind, cluster.name))
        else:
            cluster.delete()
    with stopwatch("cluster of three nodes made"):
        cluster.create(trial.cluster_config())


def _clusters(kind: Path) -> list[str]:
    return subprocess.check_output([kind, "get", "clusters"], text=True).split()


def _kubeconfig(kind: Path, cluster: str) -> str:
    command = [kind, "get", "kubeconfig", "--name", cluster]
    return subprocess.check_output(command, text=True)


@pytest.fixture(scope="package")
def installation(
    request: pytest.FixtureRequest,
    kind_cluster: KindCluster,
    shared_run: SharedRun,
    trial: Trial,
    shell: Shell,
    stopwatch,
) -> Iterator[Installation]:
    """All that `make quickstart` installs, by its own steps and once a run."""
    with shared_run.facts() as facts:
        if "images" not in facts:
            with stopwatch("images loaded onto three nodes"):
                trial.load_images(shell)
            for step in trial.install_steps():
                with stopwatch(f"installed: {step.title}"):
                    step.work(shell)
            facts["images"] = trial.images
        trial.images.update(facts["images"])
    installed = Installation(kind_cluster, trial, shell)
    request.config.stash[_INSTALLED] = installed
    yield installed
    del request.config.stash[_INSTALLED]  # what fails later asks no cluster


@pytest.fixture(scope="module", autouse=True)
def turn(
    request: pytest.FixtureRequest, shared_run: SharedRun, installation: Installation
) -> Iterator[None]:
    """The module's turn on the cluster: beside others, or alone.

    The namespaces that it opened go with it: pods that stay would fill the nodes.
    """
    is_alone = _is_alone(request.path)
    with shared_run.turn(alone=is_alone):
        if is_alone:
            installation.until("the end of other namespaces", installation.is_swept)
        before = len(installation.opened)
        yield
        opened = {*installation.opened[before:]} - {_UPGRADE}
        if opened:
            installation.delete_namespaces(*opened)


@pytest.fixture(scope="module")
def stuck_upgrade(shared_run: SharedRun, installation: Installation) -> Installation:
    """A namespace with a hub whose new image does not exist.

    Kubernetes waits three minutes before it gives a rollout up: a module that asks
    for this early lets another one look at the end sooner.
    """
    with shared_run.facts() as facts:
        if _STUCK not in facts:
            _begin_stuck_upgrade(installation.open_namespace(_UPGRADE))
            facts[_STUCK] = True
    return installation.at(_UPGRADE)


def _begin_stuck_upgrade(team: Installation) -> None:
    team.apply(hub(HUB, replicas=2, image=""))
    team.wait_settled(HUB)
    team.wait(f"mcphub/{HUB}", "condition=BackendsReachable")
    image = '{"spec":{"image":"mcphub-server:not-there"}}'
    team.kubectl("patch", "mcphub", HUB, "--type=merge", "-p", image)
    team.wait(f"mcphub/{HUB}", "condition=Reconciling")


@pytest.fixture(scope="package")
def captures(
    request: pytest.FixtureRequest, shared_run: SharedRun
) -> Iterator[StatusCaptures]:
    """Captured output for docs/operations.md; written there with --write-operations."""
    captures = StatusCaptures()
    yield captures
    if request.config.getoption("write_operations"):
        with shared_run.facts():  # one worker writes the page at a time
            write_blocks(captures.blocks)
