"""docs/installing.md, followed block by block on a cluster without an operator."""

import shutil
from collections.abc import Iterator

import pytest

from tests.support.doc_blocks import Reader, read_blocks
from tests.support.installation import Installation
from tests.support.renamed_image import write_renamed
from tools.cluster.images import find_built
from tools.project import DOCS, ROOT
from tools.quickstart.site import KIND, OPERATOR_NAMESPACE
from tools.quickstart.trial import OPERATOR
from tools.release.version import project_version

PAGE = DOCS / "installing.md"
REGISTRY = "registry.example.com/mcphub/"
STATE = "empty cluster"
CRD = "mcphubs.mcp.bigtorig.com"
LEFT_OUT = shutil.ignore_patterns(".*", "build", "dist", "__pycache__")


@pytest.fixture(scope="module")
def empty(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """A cluster without operator and definition; its nodes have a release's image."""
    archive = find_built(installation.trial.images[OPERATOR.name])
    assert archive is not None
    renamed = tmp_path_factory.mktemp("image") / "operator.tar"
    name = f"{OPERATOR.name}:{project_version()}"
    write_renamed(archive, [f"docker.io/library/{name}", REGISTRY + name], renamed)
    cluster = installation.trial.site.cluster
    installation.shell.run(KIND, "load", "image-archive", "--name", cluster, renamed)
    for folder in ("remove", "crd"):
        config = str(ROOT / "config" / folder)
        installation.kubectl("delete", "--ignore-not-found", "-k", config)
    for namespace in ("hubs", OPERATOR_NAMESPACE):
        installation.until(
            f"the end of {namespace}",
            lambda name=namespace: not installation.exists("namespace", name),
        )
    yield installation
    for step in installation.trial.install_steps():
        step.work(installation.shell)
    installation.kubectl("delete", "namespace", "hubs", "--ignore-not-found")


@pytest.fixture(scope="module")
def reader(empty: Installation, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """A user in a clone of the repository, which they called `mcphub`."""
    home = tmp_path_factory.mktemp("home")
    clone = home / "mcphub"
    shutil.copytree(ROOT, clone, ignore=LEFT_OUT, symlinks=True)
    (clone / ".venv").symlink_to(ROOT / ".venv")
    environment = empty.build_environment(home)
    return Reader(clone, environment, STATE)


def test_the_readme_installs_the_operator(reader: Reader, empty: Installation):
    (block,) = (b for b in read_blocks(ROOT / "README.md") if b.value == STATE)

    reader.run(block)

    assert empty.exists("crd", CRD)


def test_the_page_installs_by_each_way_and_removes_all(
    reader: Reader, empty: Installation
):
    followed = [block.text for block, _ in reader.follow(PAGE)]

    assert any("overlay" in text for text in followed)
    assert not empty.exists("crd", CRD)
    roles = empty.kubectl("get", "clusterroles", "-o", "name")
    assert "mcphub-operator" not in roles
