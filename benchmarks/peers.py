"""Compares the hub with another MCP server on the same statements: MCP Toolbox.

`python -m benchmarks.peers`. Google's MCP Toolbox for Databases is a program in Go; its
wheel brings it along. As configured here it checks neither statements nor tokens, and
writes no audit line; the hub does all that it always does. Both are asked in turns, one
call at a time, and the median of the rounds is taken.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from benchmarks.client import CLASSIC, BareClient
from benchmarks.conditions import describe_conditions
from benchmarks.databases import describe_postgres, open_postgres
from benchmarks.figures import Figure, render_table
from benchmarks.hub import TOKEN, running_hub, write_hub
from benchmarks.processes import ServerProcess, running, wait_until_ready
from benchmarks.rows import ROWS, STATEMENT, TOOL, Way
from tests.support import postgres
from tests.support.postgres import PostgresServer
from tools.cluster.places import cache_dir, exclusive
from tools.ports import reserve_port

TOOLBOX = "toolbox-server==1.15.0"
ROUNDS = 9
STATEMENTS = {"SELECT 1": ("SELECT 1 AS one", 400, 2.0), "rows": (STATEMENT, 40, 0.2)}
"""What is asked, how often in a round, and what of a peer's CPU a call may cost."""


def find_toolbox() -> Path:
    """Return MCP Toolbox's program, fetched from PyPI if it is missing."""
    folder = cache_dir() / "peers" / TOOLBOX
    program = folder / "toolbox_server" / "bin" / "toolbox"
    with exclusive("toolbox-server"):
        if not program.exists():
            install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
            subprocess.run([*install, "--target", folder, TOOLBOX], check=True)
        program.chmod(0o755)
    return program


EXECUTE = {
    "kind": "tool",
    "name": "execute_sql",
    "type": "postgres-execute-sql",
    "source": "shop",
    "description": "Run SQL.",
}


@contextmanager
def running_toolbox(
    folder: Path,
    server: PostgresServer,
    tools: Sequence[Mapping[str, Any]] = (EXECUTE,),
) -> Iterator[tuple[ServerProcess, BareClient]]:
    """Run MCP Toolbox with one tool, `execute_sql`, or with others."""
    source = {
        "kind": "source",
        "name": "shop",
        "type": "postgres",
        "host": server.host,
        "port": str(server.port),
        "database": postgres.DATABASE,
        "user": postgres.READER,
        "password": postgres.READER_PASSWORD,
    }
    folder.mkdir()
    config = folder / "tools.yaml"
    config.write_text(yaml.safe_dump_all([source, *map(dict, tools)]), encoding="utf-8")
    port = reserve_port()
    options = ["--disable-version-check", "--disable-reload", "--log-level", "ERROR"]
    argv = [str(find_toolbox()), "--config", str(config), "--port", str(port)]
    with running([*argv, *options], folder / "toolbox.log") as process:
        wait_until_ready(process, f"http://127.0.0.1:{port}/mcp")
        yield process, BareClient(port)


def compare(folder: Path, server: PostgresServer) -> Iterator[Figure]:
    """Ask both the same, in turns."""
    hub = write_hub(folder / "hub", [describe_postgres(server)])
    with (
        running_hub(hub) as process,
        running_toolbox(folder / "toolbox", server) as (peer, client),
    ):
        for name, (sql, calls, goal) in STATEMENTS.items():
            own = BareClient(hub.port, TOKEN)
            ways = (
                build_way(process, own, TOOL, {"sql": sql, "limit": ROWS}),
                build_way(peer, client, "execute_sql", {"sql": sql}),
            )
            for _ in range(ROUNDS + 1):  # the first warms up
                for way in ways:
                    way.measure(calls)
            yield from report(name, goal, *ways)


def build_way(
    server: ServerProcess, client: BareClient, tool: str, arguments: dict[str, object]
) -> Way:
    """Return how a server is asked; raise RuntimeError if it answers with an error."""
    json.loads(client.call(CLASSIC, tool, arguments))
    return Way(
        lambda: client.call(CLASSIC, tool, arguments), server.read_cpu_seconds, []
    )


def report(name: str, goal: float, hub: Way, peer: Way) -> Iterator[Figure]:
    """Compare the medians."""
    del hub.rounds[0], peer.rounds[0]
    own, other = hub.middle, peer.middle
    rates = f"{1000 / own.cpu_ms:.0f} and {1000 / other.cpu_ms:.0f}"
    yield Figure(
        f"{name}, CPU",
        own.cpu_ms / other.cpu_ms,
        "x",
        goal,
        f"hub {own.cpu_ms:.2f} ms / MCP Toolbox {other.cpu_ms:.2f} ms: {rates} calls a "
        "second and core",
    )
    yield Figure(
        f"{name}, waiting",
        own.wall_ms / other.wall_ms,
        "x",
        None,
        f"hub {own.wall_ms:.2f} ms / MCP Toolbox {other.wall_ms:.2f} ms",
    )


def main() -> None:
    """Measure, and print the table."""
    conditions = list(describe_conditions())
    with tempfile.TemporaryDirectory() as folder, open_postgres() as server:
        figures = list(compare(Path(folder), server))
    print("\n".join([*conditions, TOOLBOX, "", render_table(figures)]))


if __name__ == "__main__":
    main()
