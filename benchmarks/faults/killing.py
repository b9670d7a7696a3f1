"""Kills processes inside pods, from outside: the first process of a container is safe
from signals of its own container, and `kubectl delete` is no kill.

A node is namespaces of this machine, with or without Docker, so its processes show in
this machine's own list.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

PAUSE = "pause"


class NothingKilledError(Exception):
    """A pod has no process that this user sees."""


def find_pod_processes(uid: str) -> Iterator[int]:
    """Yield the processes of a pod, without the one that holds its namespaces."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            groups = (folder / "cgroup").read_text(encoding="utf-8")
            name = (folder / "comm").read_text(encoding="utf-8").strip()
        except OSError:
            continue  # it ended meanwhile
        if (f"pod{uid}" in groups or f"pod{uid.replace('-', '_')}" in groups) and (
            name != PAUSE
        ):
            yield int(folder.name)


def kill_pod_processes(uid: str) -> None:
    """Kill a pod's processes with SIGKILL; its containers start again."""
    found = list(find_pod_processes(uid))
    if not found:
        raise NothingKilledError(f"no process of pod {uid} in sight: root is needed")
    for process in found:
        os.kill(process, signal.SIGKILL)
