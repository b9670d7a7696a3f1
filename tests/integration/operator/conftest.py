"""Each test has a namespace of its own on the API server of the whole run."""

import uuid
from collections.abc import AsyncIterator

import pytest

from tests.support.running_operator import World, open_world
from tools.cluster.apiserver import ApiAccess


@pytest.fixture
async def world(api_server: ApiAccess) -> AsyncIterator[World]:
    namespace = f"hubs-{uuid.uuid4().hex[:8]}"
    async with open_world(str(api_server.kubeconfig), namespace) as opened:
        yield opened
