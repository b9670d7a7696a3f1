"""The API server under the benchmark, and what its programs use of the machine.

The controller manager is off: ReplicaSets, pods and endpoints would be most of the load
on two cores, and the same for the operator and for the client that it is compared with.
What it would do and a figure needs (pods, rollouts, garbage) is done by `pods` and
`clear`.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import CLOCK_TICKS
from mcphub_operator.client.api import Api, Call
from mcphub_operator.client.connection import Connection, open_connection
from mcphub_operator.client.kinds import CHILD_KINDS, EVENT, HUB, Kind
from tests.support.definition import install_definitions
from tests.support.running_operator import World, open_world
from tools.cluster.apiserver import ApiServer, running_api_server

CREDENTIALS = "credentials"
SERVERS = ("kube-apiserver", "etcd")


@contextmanager
def running_plane() -> Iterator[ApiServer]:
    """Run etcd and an API server that serves hubs while the block lasts."""
    prepared = running_api_server(prepare=install_definitions, controllers=False)
    with prepared as server:
        yield server


@dataclass(frozen=True, slots=True)
class User:
    """A user who works in one namespace."""

    world: World
    connection: Connection

    @property
    def api(self) -> Api:
        """Return the client for what is not measured."""
        return self.world.api

    @property
    def namespace(self) -> str:
        """Return where."""
        return self.world.namespace

    async def count(self, kind: Kind) -> int:
        """Return how many objects of a kind there are, by one small request."""
        path, params = kind.path(self.namespace), {"limit": "1"}
        page = await self.api.ask(Call("list", kind.name, "GET", path, params))
        return len(page["items"]) + int(page["metadata"].get("remainingItemCount", 0))

    async def clear(self, *kinds: Kind) -> None:
        """Delete every object of these kinds."""
        for kind in kinds:
            path = kind.path(self.namespace)
            call = Call("deletecollection", kind.name, "DELETE", path)
            await self.api.ask(call, 120)

    async def clear_children(self) -> None:
        """Delete what the garbage collector would, once the hubs are gone."""
        own = {"fieldSelector": f"metadata.name!={CREDENTIALS}"}
        for kind in (*CHILD_KINDS, EVENT):
            path = kind.path(self.namespace)
            call = Call("deletecollection", kind.name, "DELETE", path, own)
            await self.api.ask(call, 120)


@asynccontextmanager
async def open_user(server: ApiServer, namespace: str) -> AsyncIterator[User]:
    """Make a namespace with a backend's credentials, and a client for it."""
    kubeconfig = str(server.kubeconfig)
    async with (
        open_world(kubeconfig, namespace) as world,
        open_connection(kubeconfig) as connection,
    ):
        await world.create_secret(CREDENTIALS, username="u", password="p")
        yield User(world, connection)


async def drop_hubs(user: User) -> None:
    """Delete every hub of a namespace."""
    await user.clear(HUB)


def read_server_cpu() -> float:
    """Return the seconds of CPU that API server and etcd have used so far."""
    return sum(_read_cpu(stat) for stat in _stats() if _name(stat) in SERVERS)


def read_own_cpu() -> float:
    """Return the seconds of CPU of this process: the user's."""
    times = os.times()
    return times.user + times.system


def _stats() -> Iterator[str]:
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text().split():
            yield Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")


def _name(stat: str) -> str:
    return stat[stat.index("(") + 1 : stat.rindex(")")]


def _read_cpu(stat: str) -> float:
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / CLOCK_TICKS
