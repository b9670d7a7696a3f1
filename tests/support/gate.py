"""A statement that lasts as long as a test needs it to, and costs nothing meanwhile.

`TABLE gate.passage` waits until the gate is open. A closed gate is a statement without
an end, which can be cancelled; an open one lets all that wait pass.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tests.support import postgres
from tests.support.postgres import PostgresServer
from tests.support.waiting import GUARD_SECONDS, wait_until

WAIT = "TABLE gate.passage"
KEY = 4711

BUILD = f"""
CREATE SCHEMA gate;
CREATE FUNCTION gate.wait() RETURNS text LANGUAGE plpgsql AS $$
  BEGIN
    WHILE NOT EXISTS (
      SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = {KEY}
    ) LOOP
      PERFORM pg_sleep(0.01);
    END LOOP;
    RETURN 'passed';
  END
$$;
CREATE VIEW gate.passage AS SELECT gate.wait() AS passage;
GRANT USAGE ON SCHEMA gate TO {postgres.READER};
GRANT SELECT ON gate.passage TO {postgres.READER};
"""
REMOVE = f"""
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE usename = '{postgres.READER}' AND query LIKE '%gate.passage%';
DROP SCHEMA gate CASCADE;
"""  # noqa: S608 -- constants
COUNT = f"""
SELECT count(*) FROM pg_stat_activity
WHERE state = 'active' AND usename = '{postgres.READER}' AND query LIKE '%gate.passage%'
"""  # noqa: S608 -- constants


def build_gate(server: PostgresServer) -> None:
    """Make the gate, closed."""
    server.run_sql(BUILD, postgres.DATABASE)


def remove_gate(server: PostgresServer) -> None:
    """Leave the database as it was."""
    server.run_sql(REMOVE, postgres.DATABASE)


@asynccontextmanager
async def opened(server: PostgresServer) -> AsyncIterator[None]:
    """Open the gate until the block ends."""
    connection = await asyncpg.connect(
        host=server.host,
        port=server.port,
        user=postgres.ADMIN,
        password=postgres.ADMIN_PASSWORD,
        database=postgres.DATABASE,
    )
    try:
        await connection.execute(f"SELECT pg_advisory_lock({KEY})")
        yield
    finally:
        await connection.close()


def count_waiting(server: PostgresServer) -> int:
    """Return how many statements wait before the gate."""
    return int(server.run_sql(COUNT))


async def wait_for_waiting(
    server: PostgresServer, count: int, timeout_seconds: float = GUARD_SECONDS
) -> None:
    """Return once so many statements wait."""

    async def reached() -> bool:
        return await asyncio.to_thread(count_waiting, server) == count

    await wait_until(reached, timeout_seconds)
