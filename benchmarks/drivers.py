"""What ten rows of Neo4j and ten hits of Qdrant take through the hub and its driver.

Both sides ask the same of the same database over loopback, one call at a time.
"""

import asyncio
import json
import warnings
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from neo4j import AsyncGraphDatabase, RoutingControl
from qdrant_client import AsyncQdrantClient, models

from benchmarks.client import CLASSIC, BareClient
from benchmarks.databases import Databases
from benchmarks.figures import Figure
from benchmarks.hub import TOKEN, running_hub, write_hub
from benchmarks.rows import Way, take_turns

ROWS = 10
DIMENSIONS = 64
POINTS = 1000
COLLECTION = "articles"
CYPHER = (
    "UNWIND range(1, 10) AS n RETURN n AS id, 'customer number ' + n AS name, "
    "n / 7.0 AS score, n % 2 = 0 AS active, 'region-' + n AS region"
)
VECTOR = [1 / (n + 1) for n in range(DIMENSIONS)]
WARM_UP_CALLS = 500
CALLS_PER_ROUND = 200
ROUNDS = 7

Fetch = Callable[[], Awaitable[Any]]


def measure_drivers(folder: Path, databases: Databases) -> list[Figure]:
    """Compare the hub's calls with those of the drivers, asked in turns."""
    fill(databases)
    hub = write_hub(folder / "drivers", databases.describe())
    with ExitStack() as stack:
        server = stack.enter_context(running_hub(hub))
        runner = stack.enter_context(asyncio.Runner())
        neo4j = AsyncGraphDatabase.driver(
            databases.neo4j.uri,
            auth=(databases.neo4j.username, databases.neo4j.password),
        )
        stack.callback(lambda: runner.run(neo4j.close()))
        qdrant = connect_qdrant(databases)
        stack.callback(lambda: runner.run(qdrant.close()))

        def compare(
            name: str, fetch: Fetch, tool: str, arguments: dict[str, Any]
        ) -> Figure:
            client = BareClient(hub.port, TOKEN)
            check_count(client.call(CLASSIC, tool, arguments))
            ways = (
                Way(
                    lambda: client.call(CLASSIC, tool, arguments),
                    server.read_cpu_seconds,
                    [],
                ),
                Way(lambda: runner.run(as_coroutine(fetch)), lambda: 0.0, []),
            )
            return compare_waiting(name, *ways)

        return [
            compare(
                "10 rows of Neo4j",
                lambda: neo4j.execute_query(CYPHER, routing_=RoutingControl.READ),
                "neo4j_query",
                {"cypher": CYPHER},
            ),
            compare(
                "10 hits of Qdrant",
                lambda: qdrant.query_points(COLLECTION, VECTOR, limit=ROWS),
                "qdrant_search",
                {"collection": COLLECTION, "query_vector": VECTOR, "limit": ROWS},
            ),
        ]


async def as_coroutine(fetch: Fetch) -> None:
    """Await what a driver returns; a runner takes nothing but coroutines."""
    await fetch()


def compare_waiting(name: str, hub: Way, driver: Way) -> Figure:
    """Measure both ways alternately and compare how long the client waited."""
    take_turns((hub, driver), WARM_UP_CALLS, CALLS_PER_ROUND, ROUNDS)
    ours, bare = hub.middle.wall_ms, driver.middle.wall_ms
    how = f"hub {ours:.2f} ms / driver {bare:.2f} ms of waiting"
    return Figure(name, ours / bare, "x", 1.3, how)


def fill(databases: Databases) -> None:
    """Make the collection that is searched."""
    client = databases.qdrant.connect()
    client.create_collection(
        COLLECTION,
        vectors_config=models.VectorParams(
            size=DIMENSIONS, distance=models.Distance.COSINE
        ),
    )
    client.upsert(
        COLLECTION,
        [
            models.PointStruct(
                id=n,
                vector=[(n % 97 + d) / (d + 1) for d in range(DIMENSIONS)],
                payload={"title": f"article {n}", "year": 2000 + n % 26},
            )
            for n in range(POINTS)
        ],
    )
    client.close()


def connect_qdrant(databases: Databases) -> AsyncQdrantClient:
    """Return Qdrant's own asynchronous client."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a key that is sent without TLS
        return AsyncQdrantClient(
            url=databases.qdrant.url,
            api_key=databases.qdrant.api_key,
            check_compatibility=False,
        )


def check_count(answer: bytes) -> None:
    """Raise RuntimeError unless the hub gave all rows or hits."""
    result = json.loads(answer)["result"]["structuredContent"]
    found = result["rows"] if "rows" in result else result["hits"]
    if len(found) != ROWS:
        raise RuntimeError(f"the hub gave {len(found)} rows of {ROWS}")
