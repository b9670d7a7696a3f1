"""Installs dbhub and runs it over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.client import BareClient
from benchmarks.processes import running, wait_until_ready
from tests.support.node.clients import install_packages
from tests.support.node.runtime import find_node
from tools.ports import reserve_port

SOURCES = Path(__file__).parent


@contextmanager
def running_dbhub(folder: Path, dsn: str) -> Iterator[BareClient]:
    """Run dbhub on one database, as it is without a configuration file."""
    folder.mkdir()
    modules = install_packages(SOURCES, "dbhub", "packages of dbhub", "140 MB")
    program = modules / "@bytebase" / "dbhub" / "dist" / "index.js"
    port = reserve_port()
    address = f"{dsn}?sslmode=disable"
    argv = [str(find_node().node), str(program), "--transport", "http"]
    options = ["--host", "127.0.0.1", "--port", str(port), "--dsn", address]
    with running([*argv, *options], folder / "dbhub.log") as process:
        wait_until_ready(process, f"http://127.0.0.1:{port}/mcp")
        yield BareClient(port)
