"""Compares what a model reads of a database of 2,000 tables: `make bench-overview`.

The hub, dbhub and MCP Toolbox, each with the tools that it has without configuration,
on one database in one run. What counts is the text of answers: the bytes that a client
gives to a model.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.client import CLASSIC, BareClient
from benchmarks.conditions import describe_conditions
from benchmarks.databases import open_postgres
from benchmarks.dbhub.running import SOURCES, running_dbhub
from benchmarks.hub import TOKEN, Backend, running_hub, write_hub
from benchmarks.peers import TOOLBOX, find_toolbox
from benchmarks.processes import running, wait_until_ready
from tests.support import postgres
from tests.support.postgres import PostgresServer
from tools.ports import reserve_port

DATABASE = "wide"
AREAS = 40
NOUNS = (
    "invoice order payment customer address product price stock supplier contract"
    " ticket note task event employee salary leave shift device sensor reading alarm"
    " vehicle route stop parcel claim policy premium agent branch account transfer card"
    " loan rate budget forecast target campaign lead offer coupon review rating visit"
    " session message file tag"
).split()
WORD = "invoice"
TABLE = "area_07_invoice"
COLUMNS = """
  id bigint PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz, customer_id bigint, name text NOT NULL, status text,
  amount numeric(12, 2), currency char(3), active boolean NOT NULL, remark text
"""


def build_schema() -> str:
    """Return the SQL that makes 2,000 tables of ten columns."""
    tables = [
        f"CREATE TABLE area_{area:02d}_{noun} ({COLUMNS});"
        for area in range(AREAS)
        for noun in NOUNS
    ]
    grant = f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {postgres.READER};"
    return "\n".join([*tables, grant])


@dataclass(frozen=True, slots=True)
class Read:
    """What a model has read for one purpose.

    Attributes:
        calls: How many calls it took.
        size: The bytes of all their texts.
        missing: What is still unknown then; empty if nothing is.
    """

    calls: int
    size: int
    missing: str = ""

    def __str__(self) -> str:
        calls = "" if self.calls == 1 else f" in {self.calls} calls"
        return f"{self.size:,}{calls}{self.missing and f' ({self.missing})'}"


def read_text(client: BareClient, tool: str, **arguments: object) -> list[str]:
    """Call a tool and return the texts of its answer."""
    answer = json.loads(client.call(CLASSIC, tool, arguments))
    return [part["text"] for part in answer["result"]["content"]]


def measure(texts: list[str]) -> int:
    """Return the bytes of texts."""
    return sum(len(text.encode()) for text in texts)


def read_once(client: BareClient, tool: str, **arguments: object) -> Read:
    """Return what one call shows."""
    return Read(1, measure(read_text(client, tool, **arguments)))


def read_list(client: BareClient) -> Read:
    """Return the bytes of the list of tools."""
    tools = json.loads(client.list_tools(CLASSIC))["result"]["tools"]
    size = len(json.dumps(tools, separators=(",", ":")).encode())
    return Read(1, size, f"{len(tools)} tools")


def read_pages(client: BareClient) -> Read:
    """Read the hub's list of tables to its end."""
    calls, size, cursor = 0, 0, ""
    while calls == 0 or cursor:
        (text,) = read_text(client, "db_list_tables", cursor=cursor)
        calls, size = calls + 1, size + measure([text])
        cursor = json.loads(text)["next_cursor"]
    return Read(calls, size)


def read_names(client: BareClient) -> Read:
    """Ask dbhub for as many names as it gives; it has no next page."""
    (text,) = read_text(client, "search_objects", object_type="table", limit=1000)
    count = json.loads(text)["data"]["count"]
    missing = "" if count == AREAS * len(NOUNS) else f"{count:,} names, no more"
    return Read(1, measure([text]), missing)


Ask = Callable[[BareClient], Read]
PURPOSES: Mapping[str, Mapping[str, Ask | None]] = {
    "`tools/list`": {"hub": read_list, "dbhub": read_list, "MCP Toolbox": read_list},
    "the tables, asked without arguments": {
        "hub": lambda client: read_once(client, "db_list_tables"),
        "dbhub": lambda client: read_once(
            client, "search_objects", object_type="table"
        ),
        "MCP Toolbox": lambda client: read_once(client, "list_tables"),
    },
    "the names of all tables": {
        "hub": read_pages,
        "dbhub": read_names,
        "MCP Toolbox": lambda client: read_once(
            client, "list_tables", output_format="simple"
        ),
    },
    f"the {AREAS} tables with a word in their name": {
        "hub": lambda client: read_once(client, "db_search_objects", pattern=WORD),
        "dbhub": lambda client: read_once(
            client, "search_objects", object_type="table", pattern=f"%{WORD}%"
        ),
        "MCP Toolbox": None,
    },
    "one table with its columns": {
        "hub": lambda client: read_once(client, "db_describe_table", table=TABLE),
        "dbhub": lambda client: read_once(
            client,
            "search_objects",
            object_type="table",
            pattern=TABLE,
            detail_level="full",
        ),
        "MCP Toolbox": lambda client: read_once(
            client, "list_tables", table_names=TABLE
        ),
    },
}


@contextmanager
def running_stock_toolbox(folder: Path, server: PostgresServer) -> Iterator[BareClient]:
    """Run MCP Toolbox with its own set of tools for PostgreSQL."""
    folder.mkdir()
    port = reserve_port()
    environment = {
        "POSTGRES_HOST": server.host,
        "POSTGRES_PORT": str(server.port),
        "POSTGRES_DATABASE": DATABASE,
        "POSTGRES_USER": postgres.READER,
        "POSTGRES_PASSWORD": postgres.READER_PASSWORD,
    }
    options = ["--disable-version-check", "--log-level", "ERROR"]
    argv = [str(find_toolbox()), "--prebuilt", "postgres", "--port", str(port)]
    with running(
        [*argv, *options], folder / "toolbox.log", {**os.environ, **environment}
    ) as process:
        wait_until_ready(process, f"http://127.0.0.1:{port}/mcp")
        yield BareClient(port)


def describe_hub(server: PostgresServer) -> Backend:
    """Return the database as a backend that is named `db`."""
    options: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "database": DATABASE,
    }
    login = {"username": postgres.READER, "password": postgres.READER_PASSWORD}
    return Backend({"name": "db", "postgres": options}, login)


def compare(folder: Path, server: PostgresServer) -> Iterator[list[str]]:
    """Yield a row for each purpose, with what each server took."""
    server.run_sql(f"CREATE DATABASE {DATABASE}")
    server.run_sql(build_schema(), DATABASE)
    server.run_sql("ANALYZE", DATABASE)
    login = f"{postgres.READER}:{postgres.READER_PASSWORD}"
    dsn = f"postgres://{login}@{server.host}:{server.port}/{DATABASE}"
    hub = write_hub(folder / "hub", [describe_hub(server)], {"limits": {}})
    with ExitStack() as stack:
        stack.enter_context(running_hub(hub))
        clients = {
            "hub": BareClient(hub.port, TOKEN),
            "dbhub": stack.enter_context(running_dbhub(folder / "dbhub", dsn)),
            "MCP Toolbox": stack.enter_context(
                running_stock_toolbox(folder / "toolbox", server)
            ),
        }
        yield ["bytes that a model reads", *clients]
        for purpose, ways in PURPOSES.items():
            answers = [
                str(ask(client)) if (ask := ways[name]) else "no such tool"
                for name, client in clients.items()
            ]
            yield [purpose, *answers]


def main() -> None:
    """Measure, and print the table."""
    conditions = list(describe_conditions())
    pins = json.loads((SOURCES / "package.json").read_text())["dependencies"]
    names = [f"{name} {version}" for name, version in pins.items()]
    with tempfile.TemporaryDirectory() as folder, open_postgres() as server:
        head, *rows = compare(Path(folder), server)
    rule = ["---"] * len(head)
    lines = [f"| {' | '.join(row)} |" for row in (head, rule, *rows)]
    print("\n".join([*conditions, *names, TOOLBOX, "", *lines]))


if __name__ == "__main__":
    main()
