"""The machine and the versions that a run's figures belong to."""

import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("mcphub", "fastmcp", "mcp", "uvicorn", "asyncpg")


def describe_conditions() -> Iterator[str]:
    """Yield lines for the top of a report."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    yield f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load before the run {load}"
    yield f"{os.cpu_count()} CPUs ({_processor()}), {platform.system()}"
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    yield f"Python {platform.python_version()}, {packages}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
