"""Which statements the server goes on with after their connections were cut."""

import asyncio
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from typing import Any

from mcphub_server.backends import orphans
from mcphub_server.backends.postgres.failures import DRIVER_ERRORS
from mcphub_server.errors import BackendUnavailable

FIND_RUNNING = """
SELECT pg_catalog.array_agg(pid) FILTER (WHERE state = 'active')
FROM pg_catalog.pg_stat_activity WHERE pid = ANY ($1::int[])"""


async def find_running(
    connect: Callable[[], Awaitable[Any]], processes: AbstractSet[int]
) -> frozenset[int] | None:
    """Return which server processes run a statement; None without an answer.

    Args:
        connect: Opens a connection beside the pool.
        processes: The ones in question.
    """
    try:
        async with asyncio.timeout(orphans.ASK_TIMEOUT_SECONDS):
            connection = await connect()
            try:
                found = await connection.fetchval(FIND_RUNNING, list(processes))
            finally:
                connection.terminate()
    except (*DRIVER_ERRORS, BackendUnavailable):
        return None
    return frozenset(found or ())
