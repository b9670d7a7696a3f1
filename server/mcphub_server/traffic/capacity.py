"""How many streams a replica has memory for.

An idle stream needs memory and hardly any CPU, so an autoscaler on CPU does not see
it, and a replica that runs out of memory is killed with all of its streams. So the
memory limit of the container decides: new sessions are redirected while there is still
room for clients that every other replica has redirected, too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MEBIBYTE = 1024 * 1024
STREAM_BYTES = 132 * 1024
"""Measured: the resident memory of a session over SSE that has made calls."""

SESSIONS_PER_STREAM = 2
"""Measured: 46 KiB for a session on `/mcp` without a stream; some keep more."""

BASE_BYTES = 256 * MEBIBYTE
"""170 MiB for a hub with three backends, the rest for the results of running calls."""

USUAL_LIMIT_BYTES = 512 * MEBIBYTE
"""The default of `spec.resources.limits.memory`."""

FEWEST = 100
LIMIT_FILES = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Of control groups version 2 and 1, as a container sees its own."""

NO_LIMIT_BYTES = 1 << 50
"""Version 1 writes a number near 2**63 where there is no limit."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many streams this replica holds.

    Attributes:
        comfortable: From here on new sessions are redirected to other replicas first.
        most: From here on they are refused.
    """

    comfortable: int
    most: int


def build_capacity(most: int) -> Capacity:
    """Reserve 20 % for clients that every replica has redirected."""
    return Capacity(max(1, most * 4 // 5), most)


def count_streams(limit_bytes: int) -> int:
    """Return how many streams fit below a memory limit, beside everything else."""
    return max(FEWEST, (limit_bytes - BASE_BYTES) // STREAM_BYTES)


def find_memory_limit(files: Iterable[Path] = LIMIT_FILES) -> int:
    """Return the memory limit of this container, the usual one if it has none."""
    for path in files:
        try:
            text = path.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdecimal() and int(text) < NO_LIMIT_BYTES:
            return int(text)
    return USUAL_LIMIT_BYTES
