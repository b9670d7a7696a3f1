"""Faults on purpose: nodes that lose power, an API server that is gone.

For tests of what survives. A killed node loses every process at once and keeps its
disk; the API knows nothing of it until its lease runs out.
"""

from __future__ import annotations

from pathlib import Path

from tools.cluster import hostnet
from tools.cluster.api import wait_until
from tools.cluster.binaries import Binaries, binaries_folder
from tools.cluster.errors import BadInput
from tools.cluster.namespaces import (
    find_in_node,
    find_inits,
    hold_ports,
    kill_all,
    kill_inits,
    require_node_init,
)
from tools.cluster.node import (
    API_SERVER,
    Site,
    is_on,
    is_ready,
    last_sign_of_life,
    power_on,
    start_api_server,
    start_control_plane,
    start_node_programs,
)
from tools.cluster.plan import NodePlan
from tools.cluster.policies import start_engine
from tools.cluster.progress import step
from tools.cluster.state import state_of

READY_SECONDS = 90.0


def site_of(name: str) -> Site:
    """Return the cluster of this name, with the programs that it was made with."""
    state = state_of(name)
    plan = state.read_plan()
    noted = state.folder / "binaries"
    folder = Path(noted.read_text()) if noted.exists() else binaries_folder()
    return Site(plan, state, Binaries(folder))


def kill_node(site: Site, node: NodePlan) -> None:
    """Pull a node's plug."""
    if not is_on(site, node):
        raise BadInput(f"node {node.name!r} is off already")
    kill_inits([pid for pid, name in find_inits(site.state) if name == node.name])
    hostnet.disconnect_node(site.plan, node)


def start_node(site: Site, node: NodePlan) -> None:
    """Start a node that is off and wait until the API calls it Ready."""
    if is_on(site, node):
        raise BadInput(f"node {node.name!r} is on already")
    hostnet.ensure_host(site.plan)
    hold_ports(site.state, site.plan, site.binaries.part("pause"))
    with step(f"Starting node {node.name}"):
        power_on(site, node)
        if node.is_control_plane:
            start_control_plane(site)
        client = site.client()
        # The API calls a node Ready for a while after its death: wait for news.
        before = last_sign_of_life(client, node.name)
        start_node_programs(site, node)
        start_engine(site, node)
        wait_until(
            f"Waiting for node {node.name} to be Ready",
            lambda: (
                last_sign_of_life(client, node.name) != before
                and is_ready(client, node.name)
            ),
            timeout_seconds=READY_SECONDS,
            log=site.state.log(node, "kubelet"),
        )


def start_nodes(site: Site, names: list[str]) -> None:
    """Start the named nodes, or every node that is off: all of them after a reboot."""
    nodes = [site.plan.node(name) for name in names] or [
        node for node in site.plan.nodes if not is_on(site, node)
    ]
    for node in sorted(nodes, key=lambda node: not node.is_control_plane):
        start_node(site, node)


def _api_server_pids(site: Site) -> list[int]:
    init = require_node_init(site.state, site.plan.control_plane)
    return find_in_node(init, API_SERVER)


def stop_api_server(site: Site) -> None:
    """Kill the API server; nodes and pods go on without it."""
    pids = _api_server_pids(site)
    if not pids:
        raise BadInput(f"the API server of {site.plan.name!r} is stopped already")
    kill_all(pids)


def restart_api_server(site: Site) -> None:
    """Start the API server again and wait until it is ready."""
    if _api_server_pids(site):
        raise BadInput(f"the API server of {site.plan.name!r} runs already")
    start_api_server(site)
