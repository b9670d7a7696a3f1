"""A test that leaves a connection open must not keep the whole run from ending."""

import subprocess
import sys
from pathlib import Path

from tools.project import ROOT

SECONDS = 60
LEAVES_A_CONNECTION = """
import asyncio
import uvloop

def pytest_asyncio_loop_factories():
    return {"uvloop": uvloop.new_event_loop}

async def test_leaves_a_connection():
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    await asyncio.open_connection(host, port)
"""


def test_a_loop_with_an_open_connection_is_closed_and_told(tmp_path: Path) -> None:
    hook, test = LEAVES_A_CONNECTION.split("\nasync ")
    (tmp_path / "conftest.py").write_text(hook)
    (tmp_path / "test_it.py").write_text(f"import asyncio\n\nasync {test}")
    options = ("-c", ROOT / "pyproject.toml", "-p", "no:cacheprovider", tmp_path)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert "unclosed resource <" in done.stdout, done.stdout
