"""A cluster of both families that enforces NetworkPolicies, for all tests here.

It is one of the project's own, whose nodes and pods this machine reaches, and goes with
the last test; with --keep-cluster it stays, for the next run.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_kind import KindCluster

from tests.network.reaching import Prober, build_pod
from tests.support.installation import Installation
from tools.ports import reserve_port
from tools.quickstart.site import KIND, Site, find_kubectl
from tools.quickstart.steps import Shell, Terminal
from tools.quickstart.trial import SERVER, Trial

CLUSTER = "mcphub-network"
TEST_SECONDS = 600
_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS, func_only=True))


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return Trial(Site(CLUSTER, tmp_path_factory.mktemp("site"), reserve_port()))


@pytest.fixture(scope="session")
def shell(trial: Trial) -> Iterator[Shell]:
    with (trial.site.state / "shell.log").open("w") as log:
        yield Shell(log, Terminal())


@pytest.fixture(scope="session")
def installation(
    request: pytest.FixtureRequest, trial: Trial, shell: Shell
) -> Iterator[Installation]:
    """The operator and the trial database; hubs are the tests' own."""
    keep = request.config.getoption("keep_cluster")
    _make_cluster(trial, shell, keep=keep)
    try:
        shell.run(KIND, "policies", "enforce", "--name", CLUSTER)
        trial.load_images(shell)
        trial.install_operator(shell)
        trial.install_database(shell)
        yield Installation(_describe(trial), trial, shell)
    finally:
        if not keep:
            trial.delete_cluster(shell)


def _make_cluster(trial: Trial, shell: Shell, *, keep: bool) -> None:
    config = trial.cluster_config()
    config.write_text(config.read_text() + "networking: {ipFamily: dual}\n")
    name = ("--name", CLUSTER)
    if CLUSTER in shell.capture(KIND, "get", "clusters").split():
        if keep:
            kept = shell.capture(KIND, "get", "kubeconfig", *name)
            trial.site.kubeconfig.write_text(kept)
            return
        trial.delete_cluster(shell)
    files = ("--config", config, "--kubeconfig", trial.site.kubeconfig)
    shell.run(KIND, "create", "cluster", *name, *files)


def _describe(trial: Trial) -> KindCluster:
    return KindCluster(
        CLUSTER,
        trial.site.kubeconfig,
        kind_path=KIND,
        kubectl_path=Path(find_kubectl()),
    )


@pytest.fixture(scope="session")
def probers(installation: Installation) -> dict[str, Prober]:
    """Pods that connect to others, by name; each listens on two ports as well."""
    image = installation.trial.image(installation.shell, SERVER)
    system = installation.operator
    operator_labels = {"app.kubernetes.io/name": "mcphub-operator"}
    wanted = {
        "friend": (installation.open_empty_namespace("friends"), {}),
        "stranger": (installation.open_empty_namespace("strangers"), {}),
        "pretender": (installation.at("strangers"), operator_labels),
        "twin": (system, operator_labels),
    }
    for name, (place, labels) in wanted.items():
        place.apply(build_pod(name, image, labels))
    probers = {name: Prober(place, name) for name, (place, _) in wanted.items()}
    for prober in probers.values():
        prober.place.wait(f"pod/{prober.pod}", "condition=Ready")
    return probers
