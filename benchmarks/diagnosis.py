"""Compares who finds what is wrong with a database: the hub, and postgres-mcp.

`python -m benchmarks.diagnosis PROGRAM`, where PROGRAM is crystaldba's postgres-mcp in
an environment of its own. Both ask one database with known problems, by the same login:
once at rest, and once while a session holds a lock and another waits for it.
"""

import argparse
import asyncio
import json
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from mcp_types import TextContent

from benchmarks.client import CLASSIC, BareClient
from benchmarks.hub import TOKEN, Backend, running_hub, write_hub
from tests.support.postgres import (
    ADMIN,
    ADMIN_PASSWORD,
    READER,
    READER_PASSWORD,
    PostgresServer,
)
from tests.support.sick_database import DATABASE, running_sick_database

MORE_PROBLEMS = f"""
ALTER DATABASE {DATABASE} SET search_path = shop, public;
CREATE SEQUENCE shop.worn_out MAXVALUE 1000 START 990;
SELECT nextval('shop.worn_out');
GRANT SELECT ON SEQUENCE shop.worn_out TO {READER};
ALTER TABLE shop.orders ADD CONSTRAINT noted CHECK (note IS NOT NULL) NOT VALID;
GRANT SELECT ON hypopg_list_indexes TO {READER};
"""
"""postgres-mcp takes tables without their schema, and reads a view of hypopg."""

QUERY = "SELECT * FROM shop.orders WHERE customer_id = 7"
COLUMNS = ["customer_id"]
WAITER = "SELECT 'waiting' FROM shop.customers LIMIT 1"

PATIENCE_SECONDS = 40
"""postgres-mcp waits for the lock itself, beyond its limit for a statement."""

Call = tuple[str, Mapping[str, Any]]

HUB_CALLS: Sequence[Call] = (
    ("db_index_health", {}),
    ("db_vacuum_health", {}),
    ("db_activity", {"min_seconds": 0}),
    ("db_top_statements", {}),
    ("db_explain_query", {"sql": QUERY}),
    (
        "db_explain_query",
        {
            "sql": QUERY,
            "hypothetical_indexes": [{"table": "shop.orders", "columns": COLUMNS}],
        },
    ),
)
PEER_CALLS: Sequence[Call] = (
    ("analyze_db_health", {"health_type": "all"}),
    ("get_top_queries", {"sort_by": "total_time"}),
    ("explain_query", {"sql": QUERY}),
    (
        "explain_query",
        {
            "sql": QUERY,
            "hypothetical_indexes": [{"table": "orders", "columns": COLUMNS}],
        },
    ),
    ("analyze_query_indexes", {"queries": [QUERY]}),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem that was put there, and the text by which each names it."""

    name: str
    hub: str
    peer: str


PROBLEMS = (
    Problem("an invalid index", "invalid index.*orders_by_note", "Invalid.*by_note"),
    Problem(
        "two equal indexes",
        "duplicate index.*by_day_again",
        "Duplicate.*by_day_again",
    ),
    Problem(
        "an index that nothing reads",
        "unused index.*orders_by_day",
        "orders_by_day' .*only been scanned 0",
    ),
    Problem(
        "a foreign key without an index",
        "foreign key without an index.*shop.orders",
        "[Ff]oreign key",
    ),
    Problem("many dead rows", "many dead rows.*shop.orders", "dead"),
    Problem("a table without statistics", "never analyzed.*guessed", "analyzed"),
    Problem("autovacuum switched off", "autovacuum is off.*orders", "autovacuum"),
    Problem("the statement that cost most", "generate_series", "generate_series"),
    Problem("a wait for a lock, and who blocks", "blocked by", "blocked|waiting"),
    Problem("a transaction that is left open", "long transaction", "transaction.*idle"),
    Problem("a prepared transaction", "prepared transaction", "forgotten"),
    Problem(
        "a table read whole for a few rows", 'advice":\\[.*shop.orders', "recommend"
    ),
    Problem(
        "what an index would change",
        '"hypothetical":{',
        "Index Scan|Bitmap",
    ),
    Problem("a sequence near its end, no column's default", "worn_out", "worn_out"),
    Problem("a constraint that was never checked", "noted", "noted"),
)


async def ask_peer(program: Path, dsn: str, log: Path) -> list[str]:
    """Return the answers of postgres-mcp."""
    transport = StdioTransport(
        str(program), ["--access-mode", "restricted", dsn], log_file=log
    )
    async with Client(transport) as client:
        return [await ask(client, *call) for call in PEER_CALLS]


async def ask(client: Client[Any], tool: str, given: Mapping[str, Any]) -> str:
    """Return the text of one answer, or that there was none."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer = await client.call_tool_mcp(tool, dict(given))
    except TimeoutError:
        return f"{tool}: no answer within {PATIENCE_SECONDS} s"
    texts = [part.text for part in answer.content if isinstance(part, TextContent)]
    return "\n".join(texts)


def ask_hub(folder: Path, server: PostgresServer) -> list[str]:
    """Return the answers of a hub with `diagnosis`."""
    options = {
        "host": server.host,
        "port": server.port,
        "database": DATABASE,
        "diagnosis": True,
    }
    login = {"username": READER, "password": READER_PASSWORD}
    hub = write_hub(folder, [Backend({"name": "db", "postgres": options}, login)])
    with running_hub(hub):
        client = BareClient(hub.port, TOKEN)
        answers = [client.call(CLASSIC, tool, dict(given)) for tool, given in HUB_CALLS]
    return [
        json.dumps(
            json.loads(each)["result"]["structuredContent"], separators=(",", ":")
        )
        for each in answers
    ]


@asynccontextmanager
async def troubled(server: PostgresServer) -> AsyncIterator[None]:
    """Hold a lock that another session waits for, and leave a prepared transaction."""
    login = {"user": ADMIN, "password": ADMIN_PASSWORD, "database": DATABASE}
    place = {"host": server.host, "port": server.port}
    blocker, waiter = [await asyncpg.connect(**place, **login) for _ in range(2)]
    await waiter.execute("BEGIN; SELECT 1; PREPARE TRANSACTION 'forgotten'")
    await blocker.execute("BEGIN; LOCK TABLE shop.customers")
    waiting = asyncio.create_task(waiter.execute(WAITER))
    try:
        yield
    finally:
        await blocker.execute("ROLLBACK")
        await waiting
        await waiter.execute("ROLLBACK PREPARED 'forgotten'")
        await waiter.close()
        await blocker.close()


def keep(folder: Path, answers: Mapping[str, Sequence[str]]) -> None:
    """Write the answers down, for whoever doubts the table."""
    for name, texts in answers.items():
        (folder / f"{name}.txt").write_text("\n\n".join(texts), encoding="utf-8")


def find(pattern: str, answers: Sequence[str]) -> str:
    """Return whether an answer names a problem."""
    found = any(re.search(pattern, answer, re.DOTALL) for answer in answers)
    return "yes" if found else "no"


async def compare(folder: Path, program: Path) -> list[tuple[str, ...]]:
    """Return a row for each problem: who finds it."""
    with running_sick_database() as server:
        server.run_sql(MORE_PROBLEMS, DATABASE)
        address = f"{server.host}:{server.port}/{DATABASE}"
        dsn = f"postgresql://{READER}:{READER_PASSWORD}@{address}"
        answers = await ask_all(folder / "quiet", program, server, dsn)
        async with troubled(server):
            later = await ask_all(folder / "troubled", program, server, dsn)
    both = {name: [*answers[name], *later[name]] for name in answers}
    await asyncio.to_thread(keep, folder, both)
    own, peer = both.values()
    return [
        (each.name, find(each.hub, own), find(each.peer, peer)) for each in PROBLEMS
    ]


async def ask_all(
    folder: Path, program: Path, server: PostgresServer, dsn: str
) -> dict[str, list[str]]:
    """Return the answers of each."""
    own = await asyncio.to_thread(ask_hub, folder / "hub", server)
    return {
        "hub": own,
        "postgres-mcp": await ask_peer(program, dsn, folder / "peer.log"),
    }


def main() -> None:
    """Compare, and print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.diagnosis", description=__doc__)
    parser.add_argument("program", type=Path)
    parser.add_argument("--answers", type=Path, help="folder to keep the answers in")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.answers or Path(scratch)
        folder.mkdir(exist_ok=True)
        rows = asyncio.run(compare(folder, given.program))
    print("| problem | hub | postgres-mcp |")
    print("|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
