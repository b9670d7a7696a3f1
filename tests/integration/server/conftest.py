"""One real PostgreSQL for all of these tests; hubs are made by each test."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support import postgres
from tests.support.gate import build_gate, remove_gate
from tests.support.hub import HubFiles
from tests.support.postgres import PostgresServer, running_postgres

MakeHub = Callable[..., HubFiles]


@pytest.fixture(scope="session")
def shop() -> Iterator[PostgresServer]:
    """A PostgreSQL with the trial data; tests leave it running and unchanged."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def make_hub(shop: PostgresServer) -> MakeHub:
    """Make the files of a hub with the shop as `postgres`, in a given folder."""

    def make(
        folder: Path,
        *,
        password: str = postgres.READER_PASSWORD,
        backend: dict[str, Any] | None = None,
        tokens: dict[str, str] | None = None,
        **config: Any,
    ) -> HubFiles:
        options = {
            "host": shop.host,
            "port": shop.port,
            "database": postgres.DATABASE,
            **(backend or {}),
        }
        given: dict[str, Any] = {"tokens": tokens} if tokens is not None else {}
        return HubFiles(
            folder,
            {"backends": [{"name": "postgres", "postgres": options}], **config},
            {"postgres": {"username": postgres.READER, "password": password}},
            **given,
        )

    return make


@pytest.fixture
def gated(shop: PostgresServer) -> Iterator[PostgresServer]:
    """The shop with a gate before which statements wait."""
    build_gate(shop)
    yield shop
    remove_gate(shop)


@pytest.fixture
def hub_files(make_hub: MakeHub, tmp_path: Path) -> MakeHub:
    """Make them in a folder of the test's own."""
    return partial(make_hub, tmp_path / "hub")
