"""One real Neo4j for all of these tests; hubs are made by each test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.hub import HubFiles
from support.neo4j.running import fill, running_neo4j
from support.neo4j.server import Neo4jServer

MakeHub = Callable[..., HubFiles]


@pytest.fixture(scope="session")
def films() -> Iterator[Neo4jServer]:
    """A Neo4j with the trial data; tests leave it running and unchanged."""
    with running_neo4j() as server:
        fill(server)
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
