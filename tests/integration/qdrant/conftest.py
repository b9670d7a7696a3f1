"""One Qdrant for all of these tests: the double, or the real image with Docker."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.embedding import endpoint
from tests.support.hub import HubFiles
from tests.support.qdrant.running import fill, running_qdrant
from tests.support.qdrant.server import QdrantServer

MakeHub = Callable[..., HubFiles]


@pytest.fixture(scope="session")
def vectors() -> Iterator[QdrantServer]:
    """A Qdrant with trial collections; tests leave it running and unchanged."""
    with running_qdrant() as server:
        fill(server)
        yield server


@pytest.fixture(scope="session")
def vector_files(
    vectors: QdrantServer, tmp_path_factory: pytest.TempPathFactory
) -> MakeHub:
    """Make the files of a hub with the trial collections as `qdrant`."""

    def make(
        *,
        folder: Path | None = None,
        api_key: str = vectors.api_key,
        options: dict[str, Any] | None = None,
        **config: Any,
    ) -> HubFiles:
        backend = {"url": vectors.url, **(options or {})}
        return HubFiles(
            folder or tmp_path_factory.mktemp("hub"),
            {"backends": [{"name": "qdrant", "qdrant": backend}], **config},
            {"qdrant": {"apiKey": api_key, "embeddingApiKey": endpoint.KEY}},
        )

    return make
