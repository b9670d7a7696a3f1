"""What a cluster will be: names, addresses, ports, all decided before anything starts.

Pure: what is taken already arrives as an argument. The plan is written down first, so
that a cluster whose maker died half-way is known and can be deleted.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from tools.cluster.errors import BadInput
from tools.cluster.kindconfig import KindConfig, NodeConfig, PortMapping

MOST_CLUSTERS = 64
# Together with an index: a /24 for the nodes, a /16 for the pods.
NODE_NETWORKS = "172.29.{index}.0/24"
POD_NETWORKS = "10.{index}.0.0/16"
FIRST_POD_NETWORK = 160
# Unique local addresses (RFC 4193): a /64 for the nodes, and one for each node's pods.
NODE_NETWORKS_6 = "fd6d:6368:0:{index:x}::/64"
POD_NETWORKS_6 = "fd6d:6368:1:{index:x}00::/56"
SERVICE_NETWORK_6 = "fd6d:6368:2::/112"
FIRST_NODE_ADDRESS = 2
DNS_ADDRESS = 10
NAME_PATTERN = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
LONGEST_NAME = 40

Network = ipaddress.IPv4Network
Network6 = ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Mapping:
    """A port of the host that leads to a port of a node."""

    listen: str
    host_port: int
    node_port: int
    protocol: str


@dataclass(frozen=True, slots=True)
class NodePlan:
    """One node."""

    name: str
    number: int
    address: str
    pod_subnet: str
    is_control_plane: bool
    labels: dict[str, str]
    mappings: tuple[Mapping, ...]
    address6: str = ""
    pod_subnet6: str = ""

    @property
    def addresses(self) -> str:
        """Return the addresses of all families, apart by commas."""
        return _join(self.address, self.address6)


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """A whole cluster."""

    name: str
    index: int
    gateway: str
    node_subnet: str
    pod_subnet: str
    service_subnet: str
    nodes: tuple[NodePlan, ...]
    gateway6: str = ""
    node_subnet6: str = ""
    pod_subnet6: str = ""
    service_subnet6: str = ""

    @property
    def is_dual_stack(self) -> bool:
        """Tell whether nodes, pods and Services have addresses of IPv6 too."""
        return bool(self.node_subnet6)

    @property
    def pod_subnets(self) -> str:
        """Return the subnets of pods of all families, apart by commas."""
        return _join(self.pod_subnet, self.pod_subnet6)

    @property
    def service_subnets(self) -> str:
        """Return the subnets of Services of all families, apart by commas."""
        return _join(self.service_subnet, self.service_subnet6)

    @property
    def control_plane(self) -> NodePlan:
        """Return the node that carries the control plane."""
        return next(node for node in self.nodes if node.is_control_plane)

    @property
    def bridge(self) -> str:
        """Return the name of the host's bridge (interfaces: at most 15 characters)."""
        return f"mcphub-br{self.index}"

    @property
    def chain(self) -> str:
        """Return the prefix of the host's firewall chains."""
        return f"MCPHUB-{self.index}"

    @property
    def service_ip(self) -> str:
        """Return the address of the Service `kubernetes`."""
        return str(Network(self.service_subnet)[1])

    @property
    def dns_ip(self) -> str:
        """Return the address of the cluster's DNS."""
        return str(Network(self.service_subnet)[DNS_ADDRESS])

    def node(self, name: str) -> NodePlan:
        """Return a node by name.

        Raises:
            BadInput: the cluster has no node of that name.
        """
        for node in self.nodes:
            if node.name == name:
                return node
        known = ", ".join(node.name for node in self.nodes)
        raise BadInput(f"cluster {self.name!r} has no node {name!r}; it has {known}")


def _join(*parts: str) -> str:
    return ",".join(filter(None, parts))


def check_name(name: str) -> None:
    """Refuse what cannot be a cluster's name, in kind's words."""
    if not NAME_PATTERN.fullmatch(name) or len(name) > LONGEST_NAME:
        raise BadInput(
            f"{name!r} is not a valid cluster name: lower-case letters, digits, dots "
            f"and hyphens, at most {LONGEST_NAME}"
        )


def node_names(cluster: str, roles: Iterable[str]) -> list[str]:
    """Return the names that kind gives to nodes of these roles."""
    names: list[str] = []
    workers = 0
    for role in roles:
        if role == "worker":
            workers += 1
        suffix = str(workers) if role == "worker" and workers > 1 else ""
        names.append(f"{cluster}-{role}{suffix}")
    return names


def choose_index(taken: Collection[int], networks: Collection[Network]) -> int:
    """Return the first index whose networks are free."""
    for index in range(MOST_CLUSTERS):
        ours = (Network(_nodes_of(index)), Network(_pods_of(index)))
        if index not in taken and not any(
            mine.overlaps(other) for mine in ours for other in networks
        ):
            return index
    raise BadInput("no free subnets are left: delete a cluster (kind get clusters)")


def _nodes_of(index: int) -> str:
    return NODE_NETWORKS.format(index=index)


def _pods_of(index: int) -> str:
    return POD_NETWORKS.format(index=FIRST_POD_NETWORK + index)


def _build_mapping(mapping: PortMapping) -> Mapping:
    return Mapping(
        str(mapping.listen_address),
        mapping.host_port,
        mapping.container_port,
        mapping.protocol.lower(),
    )


def _build_node(
    config: NodeConfig, name: str, number: int, nodes: Network, pods: list[Network]
) -> NodePlan:
    return NodePlan(
        name=name,
        number=number,
        address=str(nodes[FIRST_NODE_ADDRESS + number]),
        pod_subnet=str(pods[number]),
        is_control_plane=config.role == "control-plane",
        labels=dict(config.labels),
        mappings=tuple(_build_mapping(m) for m in config.extra_port_mappings),
    )


def build_plan(name: str, config: KindConfig, index: int) -> ClusterPlan:
    """Return the plan of a cluster with this name, configuration and index."""
    check_name(name)
    pods = config.networking.pod_subnet or Network(_pods_of(index))
    if pods.prefixlen > 18:
        raise BadInput("networking.podSubnet: must be a /18 or larger")
    nodes = Network(_nodes_of(index))
    slices = list(pods.subnets(new_prefix=24))
    configs = config.nodes or (NodeConfig(),)
    names = node_names(name, (node.role for node in configs))
    plan = ClusterPlan(
        name=name,
        index=index,
        gateway=str(nodes[1]),
        node_subnet=str(nodes),
        pod_subnet=str(pods),
        service_subnet=str(config.networking.service_subnet),
        nodes=tuple(
            _build_node(node, names[number], number, nodes, slices)
            for number, node in enumerate(configs)
        ),
    )
    return _add_ipv6(plan) if config.networking.ip_family == "dual" else plan


def _add_ipv6(plan: ClusterPlan) -> ClusterPlan:
    """Return the plan with the second family."""
    nodes = Network6(NODE_NETWORKS_6.format(index=plan.index))
    pods = Network6(POD_NETWORKS_6.format(index=plan.index))
    slices = list(pods.subnets(new_prefix=64))
    return replace(
        plan,
        gateway6=str(nodes[1]),
        node_subnet6=str(nodes),
        pod_subnet6=str(pods),
        service_subnet6=SERVICE_NETWORK_6,
        nodes=tuple(
            replace(
                node,
                address6=str(nodes[FIRST_NODE_ADDRESS + node.number]),
                pod_subnet6=str(slices[node.number]),
            )
            for node in plan.nodes
        ),
    )


def plan_to_document(plan: ClusterPlan) -> dict[str, Any]:
    """Return the plan as something JSON can hold."""
    return asdict(plan)


def plan_from_document(document: dict[str, Any]) -> ClusterPlan:
    """Return the plan that was written down."""
    nodes = tuple(
        NodePlan(**(node | {"mappings": tuple(Mapping(**m) for m in node["mappings"])}))
        for node in document["nodes"]
    )
    return ClusterPlan(**(document | {"nodes": nodes}))
