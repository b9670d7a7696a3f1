"""Which transactions the server goes on with after their connections were cut.

Each transaction of a call carries a name of its own in its metadata, by which
`SHOW TRANSACTIONS` finds it again; a user sees at least its own. In a cluster only the
member that runs a transaction lists it, so another member's answer says nothing.
"""

import asyncio
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from mcphub_server.backends import orphans

METADATA_KEY = "mcphub"

FIND_RUNNING = (
    "SHOW TRANSACTIONS YIELD metaData WHERE metaData.mcphub IN $names "
    "RETURN collect(metaData.mcphub) AS running"
)


@dataclass(slots=True)
class Held:
    """A transaction by its name, and the connection that it runs on once it began."""

    name: str = field(default_factory=lambda: uuid4().hex)
    connection: Any = None

    @property
    def key(self) -> str:
        """Return the name with the member that runs it."""
        return f"{self.name}@{find_address(self.connection.server_info)}"

    def is_cut(self) -> bool:
        """Tell whether the connection was given up before the server's last word."""
        connection = self.connection
        return connection is not None and bool(
            connection.closed() or connection.defunct()
        )


def find_address(server: Any) -> str:
    """Return a member's address as the driver knows it."""
    return ":".join(map(str, server.address))


async def find_running(
    driver: neo4j.AsyncDriver | None, database: str, keys: AbstractSet[str]
) -> frozenset[str] | None:
    """Return which transactions run, or may; None without an answer."""
    if driver is None:
        return None
    names = [key.partition("@")[0] for key in keys]
    try:
        async with (
            asyncio.timeout(orphans.ASK_TIMEOUT_SECONDS),
            driver.session(
                database=database, default_access_mode=neo4j.READ_ACCESS
            ) as session,
        ):
            result = await session.run(FIND_RUNNING, names=names)
            record = await result.single(strict=True)
            member = find_address((await result.consume()).server)
    except (DriverError, Neo4jError, OSError, TimeoutError):
        return None
    return frozenset(
        key
        for key in keys
        for name, _, at in [key.partition("@")]
        if at != member or name in record["running"]
    )
