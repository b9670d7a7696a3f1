"""An address that the driver does not take makes its own backend unreachable."""

from pathlib import Path

import pytest

from mcphub_server.backends.base import BackendState
from mcphub_server.backends.neo4j.backend import Neo4jBackend, Read
from mcphub_server.config.backends import Neo4jConfig
from mcphub_server.errors import BackendReason, BackendUnavailable

BAD_ADDRESSES = [
    pytest.param("bolt://host?policy=x", id="a query for one server"),
    pytest.param("neo4j://host?policy=canary&policy=x", id="a key twice"),
    pytest.param("neo4j://host?policy", id="a key without a value"),
    pytest.param("neo4j://host?address=x", id="a reserved key"),
    pytest.param("bolt://host:abc", id="a port of letters"),
    pytest.param("bolt://host:99999", id="a port beyond ports"),
]


def build_backend(uri: str) -> Neo4jBackend:
    return Neo4jBackend("graph", Neo4jConfig(uri=uri), Path("nowhere"))


@pytest.mark.parametrize("uri", BAD_ADDRESSES)
async def test_a_bad_address_is_told_by_the_probe(uri: str) -> None:
    backend = build_backend(uri)
    await backend.open()

    health = await backend.probe()
    await backend.close()

    assert health.state is BackendState.UNREACHABLE
    assert health.reason is BackendReason.ERROR
    assert "graph is unavailable: its uri" in health.message
    assert "canary" not in health.message


@pytest.mark.parametrize("uri", BAD_ADDRESSES)
async def test_a_bad_address_is_told_to_callers(uri: str) -> None:
    backend = build_backend(uri)
    await backend.open()

    with pytest.raises(BackendUnavailable, match="its uri"):
        await backend.read(Read("RETURN 1", {}, 0, 1, 1.0, 1_000))


async def test_a_routing_context_is_taken() -> None:
    backend = build_backend("neo4j://host:7687?policy=x")

    await backend.open()

    assert backend.pool_usage() is not None
    await backend.close()
