"""How long a hub takes from the start of its process until it is ready.

Compared with an interpreter that imports FastMCP, asyncpg and uvicorn and ends: what
lies above that is the hub's own.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.hub import HubFolder, running_hub

RUNS = 5
IMPORTS = "import asyncpg, uvicorn; from fastmcp import FastMCP"


def measure_start(hub: HubFolder, before: Sequence[str]) -> float:
    """Return the seconds from start to ready, the middle of a few runs."""
    return statistics.median(_start_once(hub, before) for _ in range(RUNS))


def measure_imports(before: Sequence[str]) -> float:
    """Return the seconds that the libraries take to be imported."""
    return statistics.median(_import_once(before) for _ in range(RUNS))


def _start_once(hub: HubFolder, before: Sequence[str]) -> float:
    start = time.perf_counter()
    with running_hub(hub, before):
        return time.perf_counter() - start


def _import_once(before: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run([*before, sys.executable, "-c", IMPORTS], check=True)
    return time.perf_counter() - start
