"""Three replicas without affinity, one PostgreSQL, and the clients from npm."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import postgres
from tests.support.hub import write_files
from tests.support.node.clients import NodeClients, install_clients
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.replicas.fork_server import ForkServer, open_fork_server
from tests.support.replicas.hub import ReplicatedHub, running_hub

PROGRAM_SECONDS = 100.0
REPLICAS = 3
TOKEN = "token-ann-4711-x"

RunHub = Callable[..., AbstractAsyncContextManager[ReplicatedHub]]


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that has ended."""

    code: int
    output: str
    errors: str

    def __str__(self) -> str:
        return f"exit {self.code}\n{self.output[-6000:]}\n{self.errors[-2000:]}"


RunProgram = Callable[[Sequence[str]], Any]


@pytest.fixture(scope="session")
def node_clients() -> NodeClients:
    """The conformance suite, the inspector and mcp-remote."""
    return install_clients()


@pytest.fixture(scope="session")
def shop() -> Iterator[PostgresServer]:
    """A PostgreSQL with the trial data."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """The process that the replicas are forked from."""
    with open_fork_server() as fork_server:
        yield fork_server


@pytest.fixture
def run_hub(fork_server: ForkServer, shop: PostgresServer, tmp_path: Path) -> RunHub:
    """Run replicas of a hub with the shop as its backend `postgres`."""
    options = {"host": shop.host, "port": shop.port, "database": postgres.DATABASE}
    secrets = tmp_path / "secrets"
    login = {"username": postgres.READER, "password": postgres.READER_PASSWORD}
    write_files(secrets / "postgres", login)

    def run(
        config: Mapping[str, Any] | None = None, **settings: Any
    ) -> AbstractAsyncContextManager[ReplicatedHub]:
        given = {
            "backends": [{"name": "postgres", "postgres": options}],
            **(config or {}),
        }
        return running_hub(
            *(fork_server, tmp_path / "hub", REPLICAS),
            config=given,
            secrets=str(secrets),
            **settings,
        )

    return run


@pytest.fixture
def node_environment(tmp_path: Path) -> Mapping[str, str]:
    """An environment in which the programs find no settings and leave none behind."""
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}


@pytest.fixture
def run_program(node_environment: Mapping[str, str]) -> RunProgram:
    """Run a program to its end without blocking the hub in this event loop."""

    async def run(argv: Sequence[str]) -> Finished:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(node_environment),
        )
        try:
            async with asyncio.timeout(PROGRAM_SECONDS):
                output, errors = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        return Finished(process.returncode or 0, output.decode(), errors.decode())

    return run
