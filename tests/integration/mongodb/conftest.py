"""One FerretDB, a double of MongoDB, for all of these tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub import HubFiles
from tests.support.mongodb.running import (
    DATABASE,
    READER,
    READER_PASSWORD,
    MongodbServer,
    running_mongodb,
)

MakeHub = Callable[..., HubFiles]


@pytest.fixture(scope="session")
def mongodb() -> Iterator[MongodbServer]:
    """A server with the trial data; tests leave it running and unchanged."""
    with running_mongodb() as server:
        yield server


@pytest.fixture(scope="session")
def mongodb_files(
    mongodb: MongodbServer, tmp_path_factory: pytest.TempPathFactory
) -> MakeHub:
    """Make the files of a hub with the trial data as `mongodb`."""

    def make(
        *,
        folder: Path | None = None,
        password: str = READER_PASSWORD,
        options: dict[str, Any] | None = None,
        **config: Any,
    ) -> HubFiles:
        backend = {
            "uri": mongodb.uri,
            "database": DATABASE,
            "authSource": DATABASE,
            "collections": ["orders", "customers"],
            **(options or {}),
        }
        return HubFiles(
            folder or tmp_path_factory.mktemp("hub"),
            {"backends": [{"name": "mongodb", "mongodb": backend}], **config},
            {"mongodb": {"username": READER, "password": password}},
        )

    return make
