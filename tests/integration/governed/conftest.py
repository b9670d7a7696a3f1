"""A real PostgreSQL with two tenants under row level security, and hubs before it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import postgres
from tests.support.hub import HubFiles, LoopHub, hub_in_loop
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.tenants import TENANTS_SQL

TOKENS = {
    "acme": "the-token-of-acme-for-tests",
    "globex": "the-token-of-globex-for-tests",
    "eve": "the-token-of-eve-for-tests-1",
}

OpenHub = Callable[..., AbstractAsyncContextManager[LoopHub]]


@pytest.fixture(scope="session")
def shop() -> Iterator[PostgresServer]:
    """A PostgreSQL with the trial data and the tenants; tests leave it unchanged."""
    with running_postgres() as server:
        server.run_sql(TENANTS_SQL, postgres.DATABASE)
        yield server


@pytest.fixture
def build_files(shop: PostgresServer, tmp_path: Path) -> Callable[..., HubFiles]:
    """Make the files of a hub before the tenants' database."""

    def build(
        live: dict[str, Any] | None = None,
        backend: dict[str, Any] | None = None,
        entry: dict[str, Any] | None = None,
        folder: str = "hub",
        user: str = postgres.READER,
        **config: Any,
    ) -> HubFiles:
        options = {
            "host": shop.host,
            "port": shop.port,
            "database": postgres.DATABASE,
            **(backend or {}),
        }
        return HubFiles(
            tmp_path / folder,
            {
                "backends": [{"name": "db", "postgres": options, **(entry or {})}],
                **config,
            },
            {"db": {"username": user, "password": postgres.READER_PASSWORD}},
            TOKENS,
            live,
        )

    return build


@pytest.fixture
def open_hub(build_files: Callable[..., HubFiles]) -> OpenHub:
    """Serve a hub whose declared tools were checked."""

    @asynccontextmanager
    async def open_(**given: Any) -> AsyncIterator[LoopHub]:
        async with hub_in_loop(build_files(**given)) as hub:
            await wait_until_checked(hub)
            yield hub

    return open_


async def wait_until_checked(hub: LoopHub) -> None:
    """Return once the database was seen and asked about every tool."""
    await wait_for_status(
        hub,
        lambda status: (
            all(tool["state"] != "Unchecked" for tool in status["tools"])
            and all(each["state"] != "Unknown" for each in status["backends"])
        ),
    )


async def wait_for_status(
    hub: LoopHub, holds: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Long-poll `/status` until it is as wanted."""
    async with httpx.AsyncClient(timeout=60) as http:
        etag = ""
        while True:
            headers = {"If-None-Match": etag, "Prefer": "wait=30"} if etag else {}
            answer = await http.get(f"{hub.management}/status", headers=headers)
            etag = answer.headers["etag"]
            if answer.status_code == httpx.codes.OK and holds(answer.json()):
                found: dict[str, Any] = answer.json()
                return found
