"""Which tests share a worker of pytest-xdist, and which lanes start first.

A lane is what one worker runs in order: a file, or a folder whose tests share a server
that is slow to start. What takes longest starts first, so that no worker is left with
a long lane while the others have finished.
"""

from pathlib import Path
from typing import Any

from xdist.scheduler import LoadScopeScheduling

ONE_LANE = ("tests/integration/neo4j", "tests/e2e/alone")
"""Folders whose tests share a server that takes longer to start than they take, or of
which only one file can run at a time."""

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


FROM_THE_END = 2
"""Of three workers the one that begins with the last lane."""


class LaneScheduling(LoadScopeScheduling):  # type: ignore[misc]  # untyped
    """Gives each lane to one worker.

    xdist's own `loadgroup` reads groups from test ids into which it writes them by a
    private member that pytest 9.2 does not have any more: it then groups nothing, and
    says nothing (pytest-xdist 3.8.0).

    Lanes that come first mostly wait; those at the end compute. Two workers of three
    take lanes from the front and one takes them from the end, so that a run does both
    from its first minute on.
    """

    def _assign_work_unit(self, node: Any) -> None:
        if self.nodes.index(node) % 3 == FROM_THE_END:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        return find_lane(nodeid.partition("::")[0])


def find_lane(name: str) -> str:
    """Return the lane of a test file, named from the root."""
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
