"""Control groups of nodes, under version 1 (many hierarchies) and version 2 (one).

Each node's pods live below /mcphub/<cluster>/<node>, made by hand because a kubelet
expects its root to be there. All pods together weigh as much as several of the
machine's other programs: a node of its own would not have to share with them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.cluster.errors import MissingPart

ROOT = "mcphub"
NEEDED = frozenset({"cpu", "cpuacct", "cpuset", "memory"})
NEEDED_V2 = frozenset({"cpu", "cpuset", "memory", "pids"})
REMOVE_SECONDS = 5.0
PROGRAMS = 8
"""As many programs all pods weigh together; else it would be one."""
WEIGHTS = {"cpu.shares": PROGRAMS * 1024, "cpu.weight": PROGRAMS * 100}
"""The file of each version, and what one program weighs there."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """One mounted tree of control groups."""

    mount: Path
    controllers: frozenset[str]
    is_v2: bool


def parse_hierarchies(mountinfo: str) -> list[Hierarchy]:
    """Return the trees that /proc/self/mountinfo shows, version 1 before 2."""
    found: dict[Path, Hierarchy] = {}
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind in {"cgroup", "cgroup2"}:
            mount = Path(left.split(" ")[4])
            words = frozenset(options.split(",")) - {"rw", "ro"}
            found[mount] = Hierarchy(mount, words, kind == "cgroup2")
    return sorted(found.values(), key=lambda each: each.is_v2)


def hierarchies() -> list[Hierarchy]:
    """Return this machine's trees."""
    return parse_hierarchies(Path("/proc/self/mountinfo").read_text())


def uses_v1(trees: list[Hierarchy]) -> bool:
    """Tell whether the controllers are in version 1's trees."""
    return any(not tree.is_v2 and "memory" in tree.controllers for tree in trees)


def check(trees: list[Hierarchy]) -> None:
    """Refuse a machine whose kernel lacks a controller that kubelets need."""
    if uses_v1(trees):
        there = frozenset[str]().union(*(tree.controllers for tree in trees))
        missing = NEEDED - there
    else:
        files = [tree.mount / "cgroup.controllers" for tree in trees if tree.is_v2]
        there = frozenset(w for f in files for w in f.read_text().split())
        missing = NEEDED_V2 - there
    if missing:
        raise MissingPart(
            f"the cgroup controllers {', '.join(sorted(missing))} are not available: "
            "mount them, or run on a machine or in a container that has them"
        )


def node_path(cluster: str, node: str) -> str:
    """Return a node's path within every tree."""
    return f"/{ROOT}/{cluster}/{node}"


def _levels(tree: Hierarchy, path: str) -> Iterator[tuple[Path, Path]]:
    parent = tree.mount
    for part in path.strip("/").split("/"):
        yield parent, parent / part
        parent /= part


def _fill_cpuset(parent: Path, folder: Path) -> None:
    for name in ("cpuset.cpus", "cpuset.mems"):
        if not (folder / name).read_text().strip():
            (folder / name).write_text((parent / name).read_text())


def _delegate(parent: Path) -> None:
    there = set((parent / "cgroup.controllers").read_text().split())
    wanted = there & {"cpu", "cpuset", "io", "memory", "pids", "hugetlb"}
    (parent / "cgroup.subtree_control").write_text(
        " ".join(f"+{name}" for name in sorted(wanted))
    )


def make_node_groups(cluster: str, node: str, trees: list[Hierarchy]) -> None:
    """Make a node's group in every tree."""
    with_v2_controllers = not uses_v1(trees)
    for tree in trees:
        for parent, folder in _levels(tree, node_path(cluster, node)):
            if tree.is_v2 and with_v2_controllers:
                _delegate(parent)
            folder.mkdir(exist_ok=True)
            if "cpuset" in tree.controllers:
                _fill_cpuset(parent, folder)
        if tree.is_v2 and with_v2_controllers:
            _delegate(folder)
        _weigh(tree.mount / ROOT)


def _weigh(folder: Path) -> None:
    for name, weight in WEIGHTS.items():
        if (folder / name).exists():
            (folder / name).write_text(str(weight))


def _remove_tree(folder: Path, deadline: float) -> None:
    for child in folder.iterdir():
        if child.is_dir():
            _remove_tree(child, deadline)
    while True:
        try:
            folder.rmdir()
        except OSError:
            # The kernel frees a killed process's group a moment after the process.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def remove_cluster_groups(cluster: str, trees: list[Hierarchy]) -> None:
    """Remove all groups of a cluster, and the common parent with the last one."""
    deadline = time.monotonic() + REMOVE_SECONDS
    for tree in trees:
        folder = tree.mount / ROOT / cluster
        if folder.is_dir():
            _remove_tree(folder, deadline)
        parent = tree.mount / ROOT
        if parent.is_dir() and not any(p.is_dir() for p in parent.iterdir()):
            _remove_tree(parent, deadline)
