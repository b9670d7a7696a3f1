"""docs/installing.md, followed block by block on an empty cluster.

A real API server with its controllers and no node: what kubectl is told, it does and
waits for. The test plays the kubelets, so no operator runs here; the end-to-end tests
run one that is installed in the same way.
"""

import asyncio
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from mcphub_operator.client.api import Api
from mcphub_operator.client.connection import open_connection
from mcphub_operator.client.kinds import POD
from mcphub_operator.errors import Conflict, NotFound
from tests.support.doc_blocks import Reader
from tests.support.running_operator import READY_POD, World
from tests.support.settling import is_ready
from tools.cluster.apiserver import ApiServer, running_api_server
from tools.project import DOCS, ROOT

pytestmark = pytest.mark.timeout(600)

SYSTEM = "mcphub-system"
IMAGE = "{.spec.template.spec.containers[0].image}"
OWN_IMAGE, BARE_IMAGE = "registry.example.com/mcphub/mcphub-operator", "mcphub-operator"
PAUSE_SECONDS = 0.05


@pytest.fixture(scope="module")
def cluster() -> Iterator[ApiServer]:
    """An empty cluster, with Argo CD's namespace for those who use it."""
    with running_api_server() as server, playing_kubelets(server):
        server.run_kubectl("create", "namespace", "argocd")
        yield server


@contextmanager
def playing_kubelets(server: ApiServer) -> Iterator[None]:
    """Report every pod of the operator's namespace as ready."""
    ends = threading.Event()
    thread = threading.Thread(
        target=lambda: asyncio.run(play(str(server.kubeconfig), ends))
    )
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


async def play(kubeconfig: str, ends: threading.Event) -> None:
    async with open_connection(kubeconfig) as connection:
        world = World(Api(connection, lambda _request: None), SYSTEM, kubeconfig)
        while not ends.is_set():
            for pod in await world.list(POD):
                if not is_ready(pod):
                    with suppress(NotFound, Conflict):
                        name = pod["metadata"]["name"]
                        await world.patch(POD, name, READY_POD, "/status")
            await asyncio.sleep(PAUSE_SECONDS)


def open_reader(server: ApiServer, tmp_path: Path) -> Reader:
    """A user in a clone of this repository, with kubectl for an empty cluster."""
    clone = tmp_path / "mcphub"
    for part in ("config", "crds"):
        shutil.copytree(ROOT / part, clone / part)
    path = f"{server.kubectl.parent}:{os.environ['PATH']}"
    environment = {"KUBECONFIG": str(server.kubeconfig), "PATH": path}
    fill = {
        "make dist": f"make --silent -C {ROOT} dist",
        "dist/install.yaml": f"{ROOT}/dist/install.yaml",
    }
    return Reader(clone, environment, fill=fill)


def test_the_page(cluster: ApiServer, tmp_path: Path):
    images, removed = [], []

    for block, printed in open_reader(cluster, tmp_path).follow(DOCS / "installing.md"):
        if "rollout status" in block.text:
            assert "successfully rolled out" in printed
            images.append(find_image(cluster))
        removed += [line for line in printed.splitlines() if "deleted" in line]

    assert [image.partition(":")[0] for image in images] == [
        OWN_IMAGE,
        BARE_IMAGE,
        OWN_IMAGE,
        BARE_IMAGE,
    ]
    assert any(f'namespace "{SYSTEM}"' in line for line in removed)
    assert find_rest(cluster) == []


def find_image(server: ApiServer) -> str:
    """The image of the operator that is installed."""
    name = "deployment/mcphub-operator"
    return server.run_kubectl("-n", SYSTEM, "get", name, f"-o=jsonpath={IMAGE}")


def find_rest(server: ApiServer) -> list[str]:
    """What is left of the operator in the cluster."""
    kinds = (
        "crd,namespace,clusterrole,clusterrolebinding,validatingadmissionpolicy,"
        "validatingadmissionpolicybinding,priorityclass"
    )
    listed = server.run_kubectl("get", kinds, "-o", "name").splitlines()
    return [name for name in listed if "mcphub" in name]
