"""One PostgreSQL and one installation of the Node clients for all of these tests."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support import postgres
from support.hub import HubFiles
from support.node.clients import NodeClients, install_clients
from support.postgres import PostgresServer, running_postgres

PROGRAM_SECONDS = 60.0

MakeHub = Callable[..., HubFiles]


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


@pytest.fixture
def hub_files(shop: PostgresServer, tmp_path: Path) -> MakeHub:
    """Make the files of a hub with the shop as its backend `postgres`."""

    def make(**config: Any) -> HubFiles:
        options = {"host": shop.host, "port": shop.port, "database": postgres.DATABASE}
        secret = {"username": postgres.READER, "password": postgres.READER_PASSWORD}
        return HubFiles(
            tmp_path / "hub",
            {"backends": [{"name": "postgres", "postgres": options}], **config},
            {"postgres": secret},
        )

    return make


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
