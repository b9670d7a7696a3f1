"""Where a trial installation lives: its cluster, its files, its programs."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.project import ROOT

KIND = ROOT / "tools" / "cluster" / "kind"
CLUSTER_CONFIG = ROOT / "examples" / "quickstart" / "cluster.yaml"
HUB = ROOT / "examples" / "quickstart" / "hub.yaml"
POSTGRES = ROOT / "examples" / "trial" / "postgres"

OPERATOR_NAMESPACE = "mcphub-system"
NAMESPACE = "mcphub-demo"
HUB_NAME = "demo"
NODE_PORT = 30800


@dataclass(frozen=True, slots=True)
class Site:
    """One trial installation.

    Args:
        cluster: The cluster's name.
        state: The folder for its kubeconfig, logs and generated manifests.
        port: The port of 127.0.0.1 that leads to the hub's NodePort.
    """

    cluster: str
    state: Path
    port: int = NODE_PORT

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def default_site() -> Site:
    """The one that `make quickstart` keeps, under the user's state folder."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Site("mcphub", Path(home) / "mcphub" / "quickstart")


def find_kubectl() -> str:
    """The kubectl that belongs to the cluster program."""
    done = subprocess.run(
        [KIND, "paths", "kubectl"], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
