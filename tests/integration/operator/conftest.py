"""Each test has a namespace of its own on the API server of the whole run."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager

import pytest

from tests.support.definition import install_definition
from tests.support.running_operator import World, open_world
from tools.cluster.apiserver import ApiAccess, ApiServer, running_api_server


@pytest.fixture
async def world(api_server: ApiAccess) -> AsyncIterator[World]:
    namespace = f"hubs-{uuid.uuid4().hex[:8]}"
    async with open_world(str(api_server.kubeconfig), namespace) as opened:
        yield opened


@pytest.fixture(scope="module")
def lasting_thread() -> Iterator[ThreadPoolExecutor]:
    """A thread that outlives each test: an API server dies with its starter."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
async def own_server(lasting_thread: ThreadPoolExecutor) -> AsyncIterator[ApiServer]:
    """An API server of the test's own, with this project's definition alone."""
    async with open_server(lasting_thread, controllers=True) as server:
        yield server


@pytest.fixture
async def idle_server(lasting_thread: ThreadPoolExecutor) -> AsyncIterator[ApiServer]:
    """An API server of the test's own without kube-controller-manager."""
    async with open_server(lasting_thread, controllers=False) as server:
        yield server


@asynccontextmanager
async def open_server(
    thread: ThreadPoolExecutor, *, controllers: bool
) -> AsyncIterator[ApiServer]:
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        started = running_api_server(
            prepare=install_definition, controllers=controllers
        )
        enter = loop.run_in_executor(thread, stack.enter_context, started)
        yield await enter
        await loop.run_in_executor(thread, stack.close)
