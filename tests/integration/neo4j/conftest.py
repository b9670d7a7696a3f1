"""One real Neo4j for all of these tests; hubs are made by each test."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcphub_server.backends.neo4j.backend import Neo4jBackend
from mcphub_server.config.backends import Neo4jConfig
from tests.support.hub import HubFiles, write_files
from tests.support.neo4j.running import running_neo4j
from tests.support.neo4j.server import Neo4jServer

MakeHub = Callable[..., HubFiles]


@pytest.fixture(scope="session")
def films() -> Iterator[Neo4jServer]:
    """A Neo4j with the trial data; tests leave it running and unchanged."""
    with running_neo4j() as server:
        yield server


@pytest.fixture(scope="session")
def graph_files(
    films: Neo4jServer, tmp_path_factory: pytest.TempPathFactory
) -> MakeHub:
    """Make the files of a hub with the films as `neo4j`."""

    def make(
        *,
        folder: Path | None = None,
        uri: str = "",
        database: str = "neo4j",
        password: str = films.password,
        **config: Any,
    ) -> HubFiles:
        backend = {"uri": uri or films.uri, "database": database}
        return HubFiles(
            folder or tmp_path_factory.mktemp("hub"),
            {"backends": [{"name": "neo4j", "neo4j": backend}], **config},
            {"neo4j": {"username": films.username, "password": password}},
        )

    return make


@pytest.fixture
async def backend(films: Neo4jServer, tmp_path: Path) -> AsyncIterator[Neo4jBackend]:
    """What is below the tools and their grammar, without these."""
    write_files(
        tmp_path / "neo4j", {"username": films.username, "password": films.password}
    )
    opened = Neo4jBackend("neo4j", Neo4jConfig(uri=films.uri), tmp_path)
    await opened.open()
    yield opened
    await opened.close()
