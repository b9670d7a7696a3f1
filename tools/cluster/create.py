"""Makes a cluster: checks, plan, host network, nodes, control plane, add-ons.

What can be done at once is done at once: nodes boot while the API server starts.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools.cluster import hostnet, machine
from tools.cluster.addons import answers_names, apply_addons, measures_usage
from tools.cluster.api import ApiClient, wait_until
from tools.cluster.baseimage import find_base_archive
from tools.cluster.binaries import ensure_binaries
from tools.cluster.delete import delete_cluster
from tools.cluster.errors import BadInput, ClusterError, ClusterExists
from tools.cluster.imagestore import (
    SYSTEM_IMAGE,
    copy_store,
    ensure_store,
    system_archives,
)
from tools.cluster.kindconfig import KindConfig
from tools.cluster.kubeconfig import build_kubeconfig, merge_into, write_private
from tools.cluster.namespaces import hold_ports
from tools.cluster.node import (
    Site,
    is_ready,
    power_on,
    start_control_plane,
    start_node_programs,
)
from tools.cluster.nodeconfig import CONTROL_PLANE_LABEL
from tools.cluster.pki import control_plane_subjects, node_subject, write_pki
from tools.cluster.places import exclusive, log_dir
from tools.cluster.plan import (
    ClusterPlan,
    NodePlan,
    build_plan,
    check_name,
    choose_index,
)
from tools.cluster.progress import say, step
from tools.cluster.state import ClusterState, all_states, state_of

NODES_SECONDS = 90.0
ADDONS_SECONDS = 90.0
NO_BALANCER_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"
COMPONENT_USERS = ("controller-manager", "scheduler", "kube-proxy")


@dataclass(frozen=True, slots=True)
class Options:
    """How to make a cluster.

    Nodes and DNS are always waited for. Metrics come some ten seconds later and only
    `wait_seconds` waits for them too.
    """

    retain: bool = False
    wait_seconds: float = 0.0


DEFAULTS = Options()


def check_absent(name: str) -> None:
    """Refuse a name that is in use."""
    state = state_of(name)
    if state.is_complete:
        raise ClusterExists(
            f"node(s) already exist for a cluster with the name {name!r}: use it, or "
            f"delete it first (kind delete cluster --name {name})"
        )
    if state.folder.exists():
        raise ClusterExists(
            f"cluster {name!r} was only half made, its maker was interrupted: remove "
            f"what there is (kind delete cluster --name {name}) and create it again"
        )


def check_ports(config: KindConfig, others: Iterable[ClusterPlan]) -> None:
    """Refuse host ports that a program or another cluster has."""
    plan = build_plan("check", config, 0)
    theirs = {
        (m.protocol, m.host_port): other.name
        for other in others
        for node in other.nodes
        for m in node.mappings
    }
    for mapping in (m for node in plan.nodes for m in node.mappings):
        owner = theirs.get((mapping.protocol, mapping.host_port))
        if owner:
            raise BadInput(
                f"port {mapping.host_port} leads to the cluster {owner!r}: delete it "
                f"(kind delete cluster --name {owner}), or change hostPort"
            )
        hostnet.check_port(mapping)


def _reserve(name: str, config: KindConfig) -> tuple[ClusterPlan, ClusterState]:
    """Record the cluster's plan, which reserves its networks."""
    with exclusive("clusters"):
        check_absent(name)
        others = [state.read_plan() for state in all_states()]
        check_ports(config, others)
        taken = {other.index for other in others}
        index = choose_index(taken, hostnet.used_networks())
        plan, state = build_plan(name, config, index), state_of(name)
        state.write_plan(plan)
    return plan, state


def _write_identities(site: Site) -> None:
    plan, state = site.plan, site.state
    nodes = [node_subject(node.name, node.address) for node in plan.nodes]
    control = control_plane_subjects(plan.control_plane.address, plan.service_ip)
    write_pki(state.pki, [*control, *nodes])
    url = site.control_plane.url
    for user in (*COMPONENT_USERS, *(node.name for node in plan.nodes)):
        document = build_kubeconfig(user, url, state.pki, user)
        write_private(state.kubeconfigs / f"{user}.conf", document)
    admin = build_kubeconfig(f"kind-{plan.name}", url, state.pki, "admin")
    write_private(state.admin_kubeconfig, admin)


def _boot(site: Site, node: NodePlan, store: Path) -> None:
    copy_store(store, site.state.node_folder(node) / "containerd")
    power_on(site, node)
    if node.is_control_plane:
        start_control_plane(site)


def _label(client: ApiClient, node: NodePlan) -> None:
    # Kubelets may not give themselves a role; the administrator may.
    role = {CONTROL_PLANE_LABEL: "", NO_BALANCER_LABEL: ""}
    labels = (role if node.is_control_plane else {}) | node.labels
    if labels:
        client.merge(f"/api/v1/nodes/{node.name}", {"metadata": {"labels": labels}})


def _join(site: Site, client: ApiClient, node: NodePlan) -> None:
    start_node_programs(site, node)
    path = f"/api/v1/nodes/{node.name}"
    wait_until(
        f"Registering node {node.name}",
        lambda: client.answers(path),
        timeout_seconds=NODES_SECONDS,
        log=site.state.log(node, "kubelet"),
    )
    _label(client, node)
    wait_until(
        f"Waiting for node {node.name} to be Ready",
        lambda: is_ready(client, node.name),
        timeout_seconds=NODES_SECONDS,
        log=site.state.log(node, "kubelet"),
    )


def _make(site: Site, store: Path, metrics_seconds: float) -> None:
    plan = site.plan
    with step("Writing certificates and the host's network"):
        _write_identities(site)
        hostnet.set_up_host(plan)
        hold_ports(site.state, plan, site.binaries.part("pause"))
    with ThreadPoolExecutor(len(plan.nodes)) as pool:
        with step("Starting nodes and the control plane"):
            list(pool.map(lambda node: _boot(site, node, store), plan.nodes))
        client = site.client()
        with step("Joining nodes"):
            list(pool.map(lambda node: _join(site, client, node), plan.nodes))
    # Not before there are nodes: the scheduler makes pods wait that it saw too early.
    apply_addons(client, plan, SYSTEM_IMAGE)
    with step("Waiting for DNS"):
        _wait_for(answers_names, client, "Waiting for DNS", ADDONS_SECONDS)
    if metrics_seconds:
        with step("Waiting for metrics"):
            _wait_for(measures_usage, client, "Waiting for metrics", metrics_seconds)


def _wait_for(
    condition: Callable[[ApiClient], bool], client: ApiClient, what: str, limit: float
) -> None:
    wait_until(what, lambda: condition(client), timeout_seconds=limit)


def _give_up(site: Site) -> None:
    """Keep the logs of a cluster that did not come up, and remove the rest."""
    kept = log_dir() / f"failed-{site.plan.name}"
    shutil.rmtree(kept, ignore_errors=True)
    if (site.state.folder / "logs").exists():
        shutil.copytree(site.state.folder / "logs", kept)
        say(f" ! The logs of the failed nodes are kept in {kept}")
    delete_cluster(site.state)


def create_cluster(
    name: str, config: KindConfig, kubeconfig: Path, options: Options = DEFAULTS
) -> None:
    """Make a cluster and add it to a kubeconfig file.

    Raises:
        ClusterError: says what to do; whatever was made until then is removed again.
    """
    start = time.monotonic()
    check_name(name)
    machine.require_root()
    with exclusive(f"cluster-{name}", f"cluster {name!r} is being made or deleted now"):
        check_absent(name)
        machine.check_kernel()
        if config.networking.ip_family == "dual":
            machine.check_ipv6()
        machine.ensure_packages()
        machine.check_disk()
        binaries = ensure_binaries()
        base = find_base_archive()
        store = ensure_store([*system_archives(binaries), *([base] if base else [])])
        plan, state = _reserve(name, config)
        site = Site(plan, state, binaries)
        (state.folder / "binaries").write_text(str(binaries.folder))
        try:
            _make(site, store, options.wait_seconds)
            merge_into(
                kubeconfig,
                build_kubeconfig(
                    f"kind-{name}", site.control_plane.url, state.pki, "admin"
                ),
            )
            state.mark_complete()
        except (ClusterError, OSError, KeyboardInterrupt):
            if not options.retain:
                _give_up(site)
            raise
    say(f" Cluster {name!r} is ready after {time.monotonic() - start:.1f} s")
