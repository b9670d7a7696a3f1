"""Gives a command one CPU, or a share of one, as a container's limit would.

A share needs the kernel's own scheduler quota, in whichever version of control groups
the machine has mounted.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.cluster.cgroups import hierarchies

PERIOD_MICROSECONDS = 100_000
JOIN = 'echo $$ > "$0" && exec "$@"'


@contextmanager
def limited_to(share: float) -> Iterator[list[str]]:
    """Yield the words to put before a command, so that it gets this share of one CPU.

    Raises:
        LookupError: no control group with a CPU quota can be made here.
    """
    tree = next(
        (tree for tree in hierarchies() if _has_cpu(tree.mount, tree.controllers)), None
    )
    if tree is None or not os.access(tree.mount, os.W_OK):
        raise LookupError("no writable control group with a CPU quota")
    group = tree.mount / f"mcphub-bench-{os.getpid()}"
    group.mkdir()
    try:
        _set_quota(group, int(PERIOD_MICROSECONDS * share))
        yield ["taskset", "-c", "0", "sh", "-c", JOIN, str(group / "cgroup.procs")]
    finally:
        group.rmdir()


def _has_cpu(mount: Path, controllers: frozenset[str]) -> bool:
    enabled = mount / "cgroup.subtree_control"
    listed = enabled.read_text().split() if enabled.exists() else []
    return "cpu" in controllers or "cpu" in listed


def _set_quota(group: Path, microseconds: int) -> None:
    v2 = group / "cpu.max"
    if v2.exists():
        v2.write_text(f"{microseconds} {PERIOD_MICROSECONDS}")
        return
    (group / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
    (group / "cpu.cfs_quota_us").write_text(str(microseconds))
