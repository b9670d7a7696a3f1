"""Replicas on addresses of their own, behind a balancer that has no memory."""

import pytest
import pytest_asyncio

from tests.support.replicas.fork_server import open_fork_server
from tests.support.replicas.hub import running_hub


@pytest.fixture(scope="session")
def fork_server():
    """One process that has loaded the server, for all tests."""
    with open_fork_server() as fork_server:
        yield fork_server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_hub(fork_server, tmp_path_factory):
    """Two replicas for all tests of a module that leave them as they are."""
    async with running_hub(fork_server, tmp_path_factory.mktemp("hub"), 2) as hub:
        yield hub


@pytest.fixture
async def hub(fork_server, tmp_path):
    """Two replicas that a test may kill."""
    async with running_hub(fork_server, tmp_path, 2) as hub:
        yield hub


@pytest.fixture
async def stateless_hub(fork_server, tmp_path):
    """Two replicas that keep no sessions on `/mcp`."""
    async with running_hub(fork_server, tmp_path, 2, stateful=False) as hub:
        yield hub
