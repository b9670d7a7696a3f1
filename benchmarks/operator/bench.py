"""What all parts share: the API server, a user, the hubs, a way to run operators."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.operator.plane import User, open_user
from benchmarks.operator.pods import answering_pods
from benchmarks.operator.process import OperatorProcess, running_operator
from tools.cluster.apiserver import ApiServer

NAMESPACE = "hubs"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    hubs: int = 1000
    many_hubs: int = 5000
    cycles: int = 10_000
    batch: int = 500
    rounds: int = 150
    rest_seconds: float = 120.0
    concurrency: int = 16
    """Of the user who applies hubs; of the bare client it is the quickest."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One API server and the user who works on it."""

    server: ApiServer
    user: User
    folder: Path
    size: Size

    @asynccontextmanager
    async def operator(self) -> AsyncIterator[OperatorProcess]:
        """Run an operator while the block lasts."""
        async with running_operator(self.server.kubeconfig, self.folder) as operator:
            yield operator


@asynccontextmanager
async def open_bench(
    server: ApiServer, folder: Path, size: Size
) -> AsyncIterator[Bench]:
    """Open a namespace for the hubs, and answer for the pods that they will have."""
    async with answering_pods(), open_user(server, NAMESPACE) as user:
        yield Bench(server, user, folder, size)
