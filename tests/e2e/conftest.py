"""One real cluster for all end-to-end tests, installed as `make quickstart` does."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_kind import KindCluster

from tests.e2e.states import HUB, Album, times_block, write_blocks
from tests.support.hub_manifests import hub
from tests.support.installation import Installation
from tools.quickstart.site import KIND, NODE_PORT, Site, find_kubectl
from tools.quickstart.steps import Shell, Terminal
from tools.quickstart.trial import Trial

_CLUSTER = "mcphub-e2e"
_UNNAMED = "pytest-kind"
"""What --cluster-name is when nobody gave it."""
_TIMES = pytest.StashKey[list[tuple[str, float]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TIMES] = []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    times = config.stash.get(_TIMES, [])
    if times:
        terminalreporter.section("times on the real cluster")
    for what, seconds in times:
        terminalreporter.line(f"{seconds:7.1f} s  {what}")
    if times and config.getoption("write_operations"):
        measured = [(what, s) for what, s in times if "->" in what]
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


@pytest.fixture(scope="package")
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Site:
    """A site of the tests' own; port 30800 unless a quickstart holds it."""
    name = request.config.getoption("cluster_name")
    port = request.config.getoption("hub_port") or _free_port(NODE_PORT)
    cluster = _CLUSTER if name == _UNNAMED else name
    return Site(cluster, tmp_path_factory.mktemp("site"), port)


@pytest.fixture(scope="package")
def trial(site: Site) -> Trial:
    return Trial(site)


@pytest.fixture(scope="package")
def shell(site: Site) -> Iterator[Shell]:
    with (site.state / "shell.log").open("w") as log:
        yield Shell(log, Terminal())


@pytest.fixture(scope="package")
def kind_cluster(
    request: pytest.FixtureRequest, site: Site, trial: Trial, stopwatch
) -> Iterator[KindCluster]:
    """pytest-kind's cluster, of three nodes and with the NodePort mapped.

    With --keep-cluster the one that an earlier run kept is taken again.
    """
    keep = request.config.getoption("keep_cluster")
    kind = Path(request.config.getoption("kind_bin") or KIND).resolve()
    cluster = KindCluster(
        site.cluster, site.kubeconfig, kind_path=kind, kubectl_path=Path(find_kubectl())
    )
    if cluster.name in _clusters(kind):
        if keep:
            site.kubeconfig.write_text(_kubeconfig(kind, cluster.name))
        else:
            cluster.delete()
    with stopwatch("cluster of three nodes made"):
        cluster.create(trial.cluster_config())
    yield cluster
    if not keep:
        with stopwatch("cluster deleted"):
            cluster.delete()


@pytest.fixture(scope="package")
def installation(
    kind_cluster: KindCluster, trial: Trial, shell: Shell, stopwatch
) -> Installation:
    """All that `make quickstart` installs, by its own steps."""
    with stopwatch("images loaded onto three nodes"):
        trial.load_images(shell)
    for step in trial.install_steps():
        with stopwatch(f"installed: {step.title}"):
            step.work(shell)
    return Installation(kind_cluster, trial, shell)


@pytest.fixture(scope="package")
def stuck_upgrade(installation: Installation) -> Installation:
    """A namespace with a hub whose new image does not exist.

    Kubernetes waits three minutes before it gives a rollout up: who asks for this
    early can look at the end late.
    """
    team = installation.open_namespace("upgrade")
    team.apply(hub(HUB, replicas=2, image=""))
    team.wait_settled(HUB)
    team.wait(f"mcphub/{HUB}", "condition=BackendsReachable")
    image = '{"spec":{"image":"mcphub-server:not-there"}}'
    team.kubectl("patch", "mcphub", HUB, "--type=merge", "-p", image)
    team.wait(f"mcphub/{HUB}", "condition=Reconciling")
    return team


@pytest.fixture(scope="package")
def album(request: pytest.FixtureRequest) -> Iterator[Album]:
    """Pictures for docs/operations.md; written there with --write-operations."""
    album = Album()
    yield album
    if request.config.getoption("write_operations"):
        write_blocks(album.blocks)


def _clusters(kind: Path) -> list[str]:
    return subprocess.check_output([kind, "get", "clusters"], text=True).split()


def _kubeconfig(kind: Path, cluster: str) -> str:
    command = [kind, "get", "kubeconfig", "--name", cluster]
    return subprocess.check_output(command, text=True)


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")
