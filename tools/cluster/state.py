"""The folder of one cluster: its plan, its certificates, its nodes' files and logs."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from tools.cluster.errors import ClusterNotFound
from tools.cluster.places import clusters_dir, made
from tools.cluster.plan import (
    ClusterPlan,
    NodePlan,
    plan_from_document,
    plan_to_document,
)

PLAN_FILE = "plan.json"
COMPLETE_FILE = "complete"


@dataclass(frozen=True, slots=True)
class ClusterState:
    """What is kept about one cluster, and where."""

    folder: Path

    @property
    def name(self) -> str:
        """Return the cluster's name."""
        return self.folder.name

    @property
    def pki(self) -> Path:
        """Return the folder of certificates."""
        return self.folder / "pki"

    @property
    def kubeconfigs(self) -> Path:
        """Return the folder of the components' kubeconfigs."""
        return self.folder / "kubeconfigs"

    @property
    def admin_kubeconfig(self) -> Path:
        """Return the kubeconfig for people and tests."""
        return self.kubeconfigs / "admin.conf"

    @property
    def is_complete(self) -> bool:
        """Tell whether the cluster was made to the end."""
        return (self.folder / COMPLETE_FILE).exists()

    def node_folder(self, node: NodePlan) -> Path:
        """Return the folder of one node."""
        return self.folder / "nodes" / node.name

    def log(self, node: NodePlan, program: str) -> Path:
        """Return the log of one program on one node."""
        return made(self.folder / "logs" / node.name) / f"{program}.log"

    def mark_complete(self) -> None:
        """Note that the cluster was made to the end."""
        (self.folder / COMPLETE_FILE).touch()

    def write_plan(self, plan: ClusterPlan) -> None:
        """Write the plan down, in one step."""
        made(self.folder).chmod(0o700)
        fresh = self.folder / f"{PLAN_FILE}.{os.getpid()}.tmp"
        fresh.write_text(json.dumps(plan_to_document(plan), indent=1))
        fresh.replace(self.folder / PLAN_FILE)

    def read_plan(self) -> ClusterPlan:
        """Return the plan that was written down.

        Raises:
            ClusterNotFound: the cluster does not exist.
        """
        try:
            text = (self.folder / PLAN_FILE).read_text()
        except FileNotFoundError as error:
            raise ClusterNotFound(
                f"no cluster {self.name!r} is here; `kind get clusters` lists them"
            ) from error
        return plan_from_document(json.loads(text))


def state_of(name: str) -> ClusterState:
    """Return the state of the cluster with this name, there or not."""
    return ClusterState(clusters_dir() / name)


def all_states() -> list[ClusterState]:
    """Return the states of all clusters, half-made ones too."""
    plans = sorted(clusters_dir().glob(f"*/{PLAN_FILE}"))
    return [ClusterState(plan.parent) for plan in plans]
