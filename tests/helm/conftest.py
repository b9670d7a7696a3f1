"""A cluster of three nodes that pull both images from a registry with a password."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_kind import KindCluster

from tests.support.helm import Helm
from tests.support.installation import Installation
from tests.support.node_registry import serving_in_nodes
from tests.support.registry import LoopbackRegistry, open_registry
from tools.cluster.archive import ImageArchive
from tools.cluster.images import BuildRequest, build_image
from tools.ports import reserve_port
from tools.programs.build import ensure_program
from tools.project import ROOT
from tools.quickstart.site import (
    KIND,
    NAMESPACE,
    OPERATOR_NAMESPACE,
    Site,
    find_kubectl,
)
from tools.quickstart.steps import Shell, Terminal
from tools.quickstart.trial import DATABASE, Trial
from tools.release.chart import CHART
from tools.release.checkout import Checkout
from tools.release.publish import Publication, publish
from tools.release.registry import copy_image
from tools.release.version import IMAGES, Release, project_version

PULL_SECRET = "registry"
LATER = "0.999.0"
"""A later version; its images are those of this one under another tag."""
CHECKOUT = Checkout("0123456789ab", "0123456789ab" + "0" * 28, 1_700_000_000, "")


@dataclass(frozen=True, slots=True)
class Published:
    """Two versions in a registry.

    Attributes:
        registry: The registry, which asks for a password.
        release: The chart's own version.
        later: Another one.
    """

    registry: LoopbackRegistry
    release: Release
    later: Release


def build_usual(request: BuildRequest) -> ImageArchive:
    """Return the image that every test uses: labels alone are not worth a build."""
    name = request.name.partition(":")[0]
    usual = BuildRequest(name, request.dockerfile, ROOT, is_tagged_by_content=True)
    return build_image(usual)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("registry")
    with open_registry(folder) as registry, pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGISTRY_AUTH_FILE", str(registry.auth_file))
        place = f"{registry.host}/team"
        release, later = Release(project_version(), place), Release(LATER, place)
        assert list(publish(Publication(release, CHECKOUT), build_usual))
        for name in IMAGES:
            copy_image(release.image(name), later.image(name))
        yield Published(registry, release, later)


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with (tmp_path_factory.getbasetemp() / "shell.log").open("w") as log:
        yield Shell(log, Terminal())


@pytest.fixture(scope="session")
def trial(
    published: Published, shell: Shell, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Trial]:
    """A cluster with the trial database, and pull secrets for the two images."""
    trial = Trial(Site("mcphub-helm", tmp_path_factory.mktemp("site"), reserve_port()))
    try:
        trial.make_cluster(shell)
        load = (KIND, "load", "docker-image", "--name", trial.site.cluster)
        shell.run(*load, trial.image(shell, DATABASE))
        with serving_in_nodes(published.registry, trial.site.cluster):
            trial.install_database(shell)
            trial.kubectl(shell, "create", "namespace", OPERATOR_NAMESPACE)
            for namespace in (OPERATOR_NAMESPACE, NAMESPACE):
                create_pull_secret(trial, shell, published.registry, namespace)
            yield trial
    finally:
        trial.delete_cluster(shell)


def create_pull_secret(
    trial: Trial, shell: Shell, registry: LoopbackRegistry, namespace: str
) -> None:
    """Store the credentials for the registry as the documentation says."""
    file = f"--from-file=.dockerconfigjson={registry.auth_file}"
    kind = "--type=kubernetes.io/dockerconfigjson"
    words = ("create", "secret", "generic", PULL_SECRET, file, kind)
    trial.kubectl(shell, "-n", namespace, *words)


@pytest.fixture(scope="session")
def installation(trial: Trial, shell: Shell) -> Installation:
    site = trial.site
    cluster = KindCluster(
        site.cluster,
        site.kubeconfig,
        kind_path=KIND,
        kubectl_path=Path(find_kubectl()),
    )
    return Installation(cluster, trial, shell)


@pytest.fixture(scope="session")
def helm(trial: Trial) -> Helm:
    program = ensure_program(os.environ.get("MCPHUB_HELM", "helm4"))
    return Helm(program, str(CHART), trial.site.kubeconfig)
