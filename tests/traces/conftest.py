"""One Jaeger for all tests of traces, and collectors before it."""

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.otlp import Receiver, receiving
from tests.support.replicas.fork_server import ForkServer, open_fork_server
from tests.support.running_operator import World, open_world
from tests.support.traces.collector import Collector, running_collector
from tests.support.traces.jaeger import Jaeger, running_jaeger
from tools.cluster.apiserver import ApiAccess
from tools.ports import reserve_port


@pytest.fixture(scope="session")
def jaeger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jaeger]:
    with running_jaeger(tmp_path_factory.mktemp("jaeger")) as running:
        yield running


@pytest.fixture(scope="session")
def copy() -> Iterator[Receiver]:
    """Keeps the bytes that leave the collector."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def collector(
    jaeger: Jaeger, copy: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    folder = tmp_path_factory.mktemp("collector")
    targets = [jaeger.url, copy.url]
    with running_collector(folder, reserve_port(), targets) as running:
        yield running


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    with open_fork_server() as running:
        yield running


@pytest.fixture
async def world(api_server: ApiAccess) -> AsyncIterator[World]:
    namespace = f"hubs-{uuid.uuid4().hex[:8]}"
    async with open_world(str(api_server.kubeconfig), namespace) as opened:
        yield opened
