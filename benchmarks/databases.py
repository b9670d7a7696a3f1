"""The databases behind the measured hubs; real ones, but for Qdrant without Docker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.hub import Backend
from tests.support import postgres
from tests.support.neo4j.running import running_neo4j
from tests.support.neo4j.server import Neo4jServer
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.qdrant.server import QdrantServer


@contextmanager
def open_postgres() -> Iterator[PostgresServer]:
    """Run a PostgreSQL with the trial data."""
    with running_postgres() as server:
        yield server


def describe_postgres(server: PostgresServer) -> Backend:
    """Return the PostgreSQL as the hub's backend `postgres`."""
    options = {"host": server.host, "port": server.port, "database": postgres.DATABASE}
    return Backend(
        {"name": "postgres", "postgres": options},
        {"username": postgres.READER, "password": postgres.READER_PASSWORD},
    )


def build_dsn(server: PostgresServer) -> str:
    """Return the address for asyncpg, as the hub's own role."""
    login = f"{postgres.READER}:{postgres.READER_PASSWORD}"
    return f"postgresql://{login}@{server.host}:{server.port}/{postgres.DATABASE}"


@dataclass(frozen=True, slots=True)
class Databases:
    """A Neo4j with the trial data, and a Qdrant."""

    neo4j: Neo4jServer
    qdrant: QdrantServer

    def describe(self) -> list[Backend]:
        """Return them as the hub's backends `neo4j` and `qdrant`."""
        neo4j, qdrant = self.neo4j, self.qdrant
        return [
            Backend(
                {"name": "neo4j", "neo4j": {"uri": neo4j.uri}},
                {"username": neo4j.username, "password": neo4j.password},
            ),
            Backend(
                {"name": "qdrant", "qdrant": {"url": qdrant.url}},
                {"apiKey": qdrant.api_key},
            ),
        ]


@contextmanager
def open_others(folder: Path) -> Iterator[Databases]:
    """Run a Neo4j with the trial data, and an empty Qdrant."""
    qdrant = QdrantServer(folder / "qdrant")
    with running_neo4j() as neo4j:
        qdrant.start()
        try:
            yield Databases(neo4j, qdrant)
        finally:
            qdrant.kill()
