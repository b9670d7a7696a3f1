"""Which tests share a worker of pytest-xdist, and which lanes start first.

A lane is what one worker runs in order: a file, or a folder whose tests share a server
that is slow to start. What takes longest starts first, so that no worker is left with
a long lane while the others have finished.
"""

from pathlib import Path

ONE_LANE = ("tests/integration/neo4j",)
"""Folders whose tests share a server that takes longer to start than they take."""

LONGEST_FIRST = (
    "tests/e2e",
    "tests/integration/operator/faults",
    "tests/integration/cluster",
    "tests/integration/neo4j",
    "tests/integration/operator",
    "tests/integration/protocol",
    "tests/integration/sessions",
    "tests/integration/server",
    "tests/integration",
    "tests/manifests",
    "tests/unit",
)


def find_group(file: Path, root: Path) -> str:
    """Return the lane of a test file."""
    name = file.relative_to(root).as_posix()
    for folder in ONE_LANE:
        if name.startswith(f"{folder}/"):
            return folder
    return name


def find_rank(file: Path, root: Path) -> int:
    """Return the position of a test file's folder among the lanes; 0 starts first."""
    name = file.relative_to(root).as_posix()
    for rank, folder in enumerate(LONGEST_FIRST):
        if name.startswith(f"{folder}/"):
            return rank
    return len(LONGEST_FIRST)
