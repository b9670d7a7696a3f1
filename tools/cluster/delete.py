"""Takes a cluster away, whole or half-made, and leaves nothing of it."""

from __future__ import annotations

import shutil

from tools.cluster import cgroups
from tools.cluster.hostnet import tear_down_host
from tools.cluster.machine import require_root
from tools.cluster.namespaces import FIXED_FOLDERS, find_inits, kill_inits
from tools.cluster.state import ClusterState, all_states


def delete_cluster(state: ClusterState) -> None:
    """Remove a cluster's processes, network, control groups and files.

    Each part is looked for, not remembered, so that it does not matter how far its
    maker came or how far an earlier deletion did.
    """
    require_root()
    plan = state.read_plan()
    kill_inits([pid for pid, _ in find_inits(state)])
    tear_down_host(plan)
    cgroups.remove_cluster_groups(plan.name, cgroups.hierarchies())
    shutil.rmtree(state.folder)
    if not all_states():
        _remove_fixed_folders()


def _remove_fixed_folders() -> None:
    """Remove the folders that nodes covered, unless another program uses them."""
    for folder in FIXED_FOLDERS:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
