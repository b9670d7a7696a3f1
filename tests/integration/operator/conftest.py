"""One API server for all tests of this folder; each test has a namespace of its own."""

import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.running_operator import World, open_world
from tools.cluster.apiserver import ApiServer, running_api_server
from tools.project import CRD


@pytest.fixture(scope="session")
def api_server() -> Iterator[ApiServer]:
    with running_api_server() as server:
        server.run_kubectl("apply", "--server-side", "-f", str(CRD))
        crd = "customresourcedefinition/mcphubs.mcp.bigtorig.com"
        server.run_kubectl("wait", "--for=condition=Established", crd)
        yield server


@pytest.fixture(scope="session")
def lasting_thread() -> Iterator[ThreadPoolExecutor]:
    """A thread that outlives each test: the API server dies with its starter."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
async def world(api_server: ApiServer) -> AsyncIterator[World]:
    namespace = f"hubs-{uuid.uuid4().hex[:8]}"
    async with open_world(str(api_server.kubeconfig), namespace) as opened:
        yield opened
