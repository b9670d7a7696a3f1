"""Ordinary searches pass everything on their way: schema, guard, engine, JSON."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client
from qdrant_client import QdrantClient, models

from tests.support.hub import hub_in_loop
from tests.support.ordinary import read_searches
from tests.support.qdrant.running import running_qdrant
from tests.support.qdrant.server import QdrantServer

from .conftest import MakeHub

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEARCHES = read_searches()
NAMED = "shop"
UUID = "550e8400-e29b-41d4-a716-446655440000"
PAYLOAD = {
    "title": "the quick brown fox, good and cheap",
    "city": "London",
    "color": "red",
    "year": 2024,
    "published": True,
    "price": 12.5,
    "created": "2026-01-15T10:00:00Z",
    "tags": ["a", "b", "c"],
    "location": {"lat": 52.51, "lon": 13.42},
    "diet": [{"food": "meat", "likes": True}, {"food": "leaves", "likes": False}],
    "country": {
        "name": "Germany",
        "cities": [{"name": "Berlin", "population": 3.7, "sightseeing": ["x", "y"]}],
    },
    "authors": [{"name": "Ann"}],
}


def four() -> models.VectorParams:
    return models.VectorParams(size=4, distance=models.Distance.COSINE)


def two(**options: Any) -> models.VectorParams:
    return models.VectorParams(size=2, distance=models.Distance.DOT, **options)


def fill(client: QdrantClient) -> None:
    """Make every collection that a search names."""
    for name in {search["collection"] for search in SEARCHES} - {NAMED}:
        client.create_collection(name, vectors_config=four())
        points = [
            models.PointStruct(id=each, vector=[1.0, 0.5, 0.1, n / 10], payload=PAYLOAD)
            for n, each in enumerate([1, 2, 3, 4, UUID])
        ]
        client.upsert(name, points)
    several = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
    client.create_collection(
        NAMED,
        vectors_config={
            "text": four(),
            "text-embedding-3-small": four(),
            "image": two(),
            "colbert": two(multivector_config=several),
        },
        sparse_vectors_config={"bm25": models.SparseVectorParams()},
    )
    vectors = {
        "text": [0.1, 0.2, 0.3, 0.4],
        "text-embedding-3-small": [0.4, 0.3, 0.2, 0.1],
        "image": [0.5, 0.5],
        "colbert": [[0.1, 0.9], [0.9, 0.1]],
        "bm25": models.SparseVector(indices=[1, 7], values=[0.5, 1.0]),
    }
    client.upsert(
        NAMED,
        [models.PointStruct(id=n, vector=vectors, payload=PAYLOAD) for n in (1, 2)],
    )


@pytest.fixture(scope="module")
def filled() -> Iterator[QdrantServer]:
    with running_qdrant() as server:
        client = server.connect()
        fill(client)
        client.close()
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(
    filled: QdrantServer, vector_files: MakeHub
) -> AsyncIterator[Client[Any]]:
    files = vector_files(api_key=filled.api_key, options={"url": filled.url})
    async with hub_in_loop(files) as hub, hub.client() as client:
        yield client


@pytest.mark.parametrize("search", SEARCHES, ids=str)
async def test_an_ordinary_search_runs(
    client: Client[Any], search: dict[str, Any]
) -> None:
    answer = await client.call_tool_mcp("qdrant_search", search)

    assert not answer.is_error, answer.content[0].text
