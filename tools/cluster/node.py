"""Starts the programs of one node, and of the control plane on the first one.

Used for a new cluster and for a node that was killed alike: whatever is on disk stays,
whatever was running starts afresh, as after a power cut.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.cluster import cgroups
from tools.cluster.api import ApiClient, wait_until
from tools.cluster.binaries import Binaries
from tools.cluster.components import (
    ControlPlane,
    api_server_arguments,
    controller_manager_arguments,
    etcd_arguments,
    scheduler_arguments,
)
from tools.cluster.errors import StepFailed
from tools.cluster.hostnet import connect_node
from tools.cluster.machine import find_cni_plugins, may_raise_priority
from tools.cluster.namespaces import (
    enter,
    find_in_node,
    find_node_init,
    require_node_init,
    start_in_node,
    start_node_init,
)
from tools.cluster.nodeconfig import (
    CONTAINERD_SOCKET,
    NodeFacts,
    cni_config,
    containerd_config,
    kube_proxy_config,
    kubelet_config,
)
from tools.cluster.places import made
from tools.cluster.plan import ClusterPlan, NodePlan
from tools.cluster.progress import last_line
from tools.cluster.state import ClusterState

CONTAINERD_SECONDS = 30.0
API_SECONDS = 60.0
API_SERVER = "kube-apiserver"


@dataclass(frozen=True, slots=True)
class Site:
    """A cluster to be: what it shall be, where its files are, the programs to run."""

    plan: ClusterPlan
    state: ClusterState
    binaries: Binaries

    @property
    def control_plane(self) -> ControlPlane:
        """Return where the control plane listens and keeps its files."""
        node = self.plan.control_plane
        return ControlPlane(
            pki=self.state.pki,
            kubeconfigs=self.state.kubeconfigs,
            data=self.state.node_folder(node),
            address="0.0.0.0",  # noqa: S104 - within the node's own namespace
            advertise=node.address,
            service_subnet=self.plan.service_subnets,
        )

    def client(self) -> ApiClient:
        """Return a client of the cluster's API."""
        return ApiClient(self.control_plane.url, self.state.pki)


def _facts(site: Site, node: NodePlan) -> NodeFacts:
    plugins = find_cni_plugins()
    return NodeFacts(
        folder=site.state.node_folder(node),
        pki=site.state.pki,
        cni_plugins=plugins or Path("/opt/cni/bin"),
        uses_cgroup_v1=cgroups.uses_v1(cgroups.hierarchies()),
        may_raise_priority=may_raise_priority(),
        is_only_node=len(site.plan.nodes) == 1,
    )


def write_node_files(site: Site, node: NodePlan) -> None:
    """Write the configuration of a node's programs."""
    facts = _facts(site, node)
    made(facts.folder / "cni")
    proxy = site.state.kubeconfigs / "kube-proxy.conf"
    files = {
        "containerd.toml": containerd_config(facts),
        "cni/10-pods.conflist": cni_config(node),
        "kubelet.yaml": kubelet_config(site.plan, node, facts),
        "kube-proxy.yaml": kube_proxy_config(site.plan, node, proxy),
        # A pod without cluster DNS has no DNS server.
        "resolv.conf": "nameserver 127.0.0.1\n",
    }
    for name, text in files.items():
        (facts.folder / name).write_text(text)


def power_on(site: Site, node: NodePlan) -> int:
    """Start a node's namespaces, network and containerd; return its first process."""
    cgroups.make_node_groups(site.plan.name, node.name, cgroups.hierarchies())
    write_node_files(site, node)
    init = start_node_init(site.state, node, site.binaries.part("pause"))
    connect_node(site.plan, node, init, enter(init, "net"))
    config = site.state.node_folder(node) / "containerd.toml"
    log = site.state.log(node, "containerd")
    start_in_node(init, ["containerd", "--config", config], log)
    socket = Path(f"/proc/{init}/root{CONTAINERD_SOCKET}")
    wait_until(
        f"Starting containerd on {node.name}",
        _holds_while(site, node, "containerd", socket.exists),
        timeout_seconds=CONTAINERD_SECONDS,
        log=log,
    )
    return init


def _holds_while(
    site: Site, node: NodePlan, program: str, condition: Callable[[], bool]
) -> Callable[[], bool]:
    """Return the condition, failing early when the program it waits for has ended."""
    log = site.state.log(node, program)
    init = require_node_init(site.state, node)
    seen = False

    def holds() -> bool:
        nonlocal seen
        if condition():
            return True
        runs = bool(find_in_node(init, program))
        if seen and not runs:
            raise StepFailed(f"{program} on {node.name}", last_line(log), log)
        seen = seen or runs
        return False

    return holds


def _start(site: Site, node: NodePlan, program: str, arguments: list[str]) -> None:
    init = require_node_init(site.state, node)
    argv: list[str | Path] = [site.binaries.part(program), *arguments]
    start_in_node(init, argv, site.state.log(node, program))


def start_api_server(site: Site) -> None:
    """Start the API server and wait until it is ready."""
    node = site.plan.control_plane
    client = site.client()
    _start(site, node, API_SERVER, api_server_arguments(site.control_plane))
    wait_until(
        "Starting the API server",
        _holds_while(site, node, API_SERVER, lambda: client.answers("/readyz")),
        timeout_seconds=API_SECONDS,
        log=site.state.log(node, API_SERVER),
    )


def start_control_plane(site: Site) -> None:
    """Start etcd, the API server and the controllers on the control-plane node."""
    node, plane = site.plan.control_plane, site.control_plane
    _start(site, node, "etcd", etcd_arguments(plane))
    start_api_server(site)
    manager = controller_manager_arguments(plane)
    _start(site, node, "kube-controller-manager", manager)
    _start(site, node, "kube-scheduler", scheduler_arguments(plane))


def start_node_programs(site: Site, node: NodePlan) -> None:
    """Start the kubelet and kube-proxy."""
    folder = site.state.node_folder(node)
    kubeconfig = site.state.kubeconfigs / f"{node.name}.conf"
    kubelet = [
        f"--config={folder / 'kubelet.yaml'}",
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={node.name}",
        f"--node-ip={node.addresses}",
    ]
    _start(site, node, "kubelet", kubelet)
    _start(site, node, "kube-proxy", [f"--config={folder / 'kube-proxy.yaml'}"])


def is_ready(client: ApiClient, name: str) -> bool:
    """Tell whether the API calls a node Ready."""
    status = client.get(f"/api/v1/nodes/{name}").get("status", {})
    return any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for condition in status.get("conditions", ())
    )


def last_sign_of_life(client: ApiClient, name: str) -> str:
    """Return when a node's kubelet last renewed its lease; empty before it did."""
    leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    return str(client.get(f"{leases}/{name}").get("spec", {}).get("renewTime", ""))


def is_on(site: Site, node: NodePlan) -> bool:
    """Tell whether a node runs."""
    return find_node_init(site.state, node) is not None
