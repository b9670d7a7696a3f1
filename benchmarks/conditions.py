"""The machine and the versions that a run's figures belong to."""

import os
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("mcphub", "fastmcp", "mcp", "uvicorn", "asyncpg")


def describe_conditions() -> Iterator[str]:
    """Yield lines for the top of a report about the server."""
    return describe_machine(PACKAGES)


def describe_machine(packages: Sequence[str]) -> Iterator[str]:
    """Yield lines for the top of a report: the machine and these versions."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    yield f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load before the run {load}"
    yield f"{os.cpu_count()} CPUs ({_processor()}), {platform.system()}"
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    yield f"Python {platform.python_version()}, {versions}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
