"""What a cluster changes in the host's own network: one bridge, routes, few rules.

All rules stand in chains of our own, so that taking them away is exact. A host port
leads to a node by the kernel's address translation and not by a forwarding program:
connections keep their resets, half-closes and lifetimes, and kube-proxy on the node
balances each of them.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Iterable
from pathlib import Path

from tools.cluster.commands import run, succeeds
from tools.cluster.errors import BadInput, StepFailed
from tools.cluster.plan import ClusterPlan, Mapping, Network, NodePlan

Rule = list[str]


def used_networks() -> list[Network]:
    """Return the networks that this host has routes to."""
    routes = json.loads(run(["ip", "-json", "-4", "route", "show", "table", "all"]))
    named = (route["dst"] for route in routes if route["dst"] != "default")
    return [ipaddress.IPv4Network(name, strict=False) for name in named]


def check_port(mapping: Mapping) -> None:
    """Refuse a host port that another program listens on."""
    kind = socket.SOCK_DGRAM if mapping.protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((mapping.listen, mapping.host_port))
        except OSError as error:
            raise BadInput(
                f"port {mapping.host_port} on {mapping.listen} is taken "
                f"({error.strerror}): end the program that listens on it (ss -ltnp), "
                "or change hostPort in the cluster's config"
            ) from error


def mapping_matches(mapping: Mapping) -> Rule:
    """Return the part of a rule that recognises what is sent to a mapped port."""
    port = ["-p", mapping.protocol, "--dport", str(mapping.host_port)]
    if mapping.listen == "0.0.0.0":  # noqa: S104 - compared, not bound
        return [*port, "-m", "addrtype", "--dst-type", "LOCAL"]
    return ["-d", f"{mapping.listen}/32", *port]


def _towards(target: str) -> Rule:
    return ["-j", "DNAT", "--to-destination", target]


def translation_rules(plan: ClusterPlan) -> list[Rule]:
    """Return the rules that lead mapped ports to their nodes."""
    return [
        [*mapping_matches(m), *_towards(f"{node.address}:{m.node_port}")]
        for node in plan.nodes
        for m in node.mappings
    ]


def _chains(plan: ClusterPlan) -> list[tuple[str, str, list[Rule], list[Rule]]]:
    """Return table, chain, the rules in it, and the rules that lead to it."""
    to_ports, from_here, through = (f"{plan.chain}-{part}" for part in "PMF")
    outside = ["!", "-i", plan.bridge]
    return [
        (
            "nat",
            to_ports,
            translation_rules(plan),
            [["OUTPUT", "-j", to_ports], ["PREROUTING", *outside, "-j", to_ports]],
        ),
        (
            "nat",
            from_here,
            # A loopback source would not find its way back from the node.
            [["-s", "127.0.0.0/8", "-o", plan.bridge, "-j", "MASQUERADE"]],
            [["POSTROUTING", "-j", from_here]],
        ),
        (
            "filter",
            through,
            # Docker and many firewalls drop what they do not know.
            [["-i", plan.bridge, "-j", "ACCEPT"], ["-o", plan.bridge, "-j", "ACCEPT"]],
            [["FORWARD", "-j", through]],
        ),
    ]


def _iptables(table: str, *words: str) -> None:
    run(["iptables", "-w", "-t", table, *words])


def add_rules(plan: ClusterPlan) -> None:
    """Add the cluster's chains and the jumps into them."""
    for table, chain, rules, jumps in _chains(plan):
        _iptables(table, "-N", chain)
        for rule in rules:
            _iptables(table, "-A", chain, *rule)
        for parent, *rule in jumps:
            _iptables(table, "-I", parent, *rule)


def remove_rules(plan: ClusterPlan) -> None:
    """Take away the cluster's chains and jumps, however many of them are there."""
    for table, chain, _, jumps in _chains(plan):
        if not succeeds(["iptables", "-w", "-t", table, "-S", chain]):
            continue
        for parent, *rule in jumps:
            while succeeds(["iptables", "-w", "-t", table, "-D", parent, *rule]):
                pass
        _iptables(table, "-F", chain)
        _iptables(table, "-X", chain)


def write_setting(name: str, value: str) -> None:
    """Set a kernel network setting of the host."""
    path = Path("/proc/sys/net") / name
    if path.exists() and path.read_text().strip() != value:
        path.write_text(value)


def add_bridge(plan: ClusterPlan) -> None:
    """Add the bridge that joins the host and the cluster's nodes."""
    gateway = _with_prefix(plan.gateway, plan.node_subnet)
    address = ["address", hardware_address(plan, 0)]
    run(["ip", "link", "add", plan.bridge, *address, "type", "bridge"])
    run(["ip", "addr", "add", gateway, "dev", plan.bridge])
    run(["ip", "link", "set", plan.bridge, "up"])
    # Lets 127.0.0.1:<port> leave through this bridge and through no other interface.
    write_setting(f"ipv4/conf/{plan.bridge}/route_localnet", "1")
    for node in plan.nodes:
        run(["ip", "route", "add", node.pod_subnet, "via", node.address])
    if plan.is_dual_stack:
        _add_ipv6_to_bridge(plan)
    else:
        write_setting(f"ipv6/conf/{plan.bridge}/disable_ipv6", "1")


def _add_ipv6_to_bridge(plan: ClusterPlan) -> None:
    address = _with_prefix(plan.gateway6, plan.node_subnet6)
    write_setting(f"ipv6/conf/{plan.bridge}/disable_ipv6", "0")
    run(["ip", "-6", "addr", "add", address, "dev", plan.bridge, "nodad"])
    for node in plan.nodes:
        run(["ip", "-6", "route", "add", node.pod_subnet6, "via", node.address6])


def _with_prefix(address: str, subnet: str) -> str:
    return f"{address}/{subnet.partition('/')[2]}"


def set_up_host(plan: ClusterPlan) -> None:
    """Make the host's part of the cluster's network."""
    add_bridge(plan)
    add_rules(plan)
    listens = {m.listen for node in plan.nodes for m in node.mappings}
    if any(not ipaddress.ip_address(listen).is_loopback for listen in listens):
        write_setting("ipv4/ip_forward", "1")


def ensure_host(plan: ClusterPlan) -> None:
    """Make the host's part again where a reboot took it."""
    if not Path(f"/sys/class/net/{plan.bridge}").exists():
        tear_down_host(plan)
        set_up_host(plan)


def tear_down_host(plan: ClusterPlan) -> None:
    """Take the host's part away; routes go with the bridge."""
    remove_rules(plan)
    for node in plan.nodes:
        disconnect_node(plan, node)
    if Path(f"/sys/class/net/{plan.bridge}").exists():
        run(["ip", "link", "delete", plan.bridge])


def hardware_address(plan: ClusterPlan, number: int) -> str:
    """Return an address that stays when a node or the bridge is created again.

    A new one would be unknown to its neighbours' caches for up to a minute.
    """
    return f"02:6d:68:{plan.index:02x}:00:{number:02x}"


def _link_name(plan: ClusterPlan, node: NodePlan) -> str:
    return f"mcphub{plan.index}n{node.number}"


def _node_commands(plan: ClusterPlan, node: NodePlan) -> Iterable[Rule]:
    address = _with_prefix(node.address, plan.node_subnet)
    yield ["ip", "addr", "add", address, "dev", "eth0"]
    yield ["ip", "link", "set", "eth0", "up"]
    yield ["ip", "route", "add", "default", "via", plan.gateway]
    for other in plan.nodes:
        if other is not node:
            yield ["ip", "route", "add", other.pod_subnet, "via", other.address]
    for setting in (
        "net/ipv4/ip_forward",
        "net/ipv4/conf/all/route_localnet",
        "net/bridge/bridge-nf-call-iptables",
    ):
        yield _turn_on(setting)
    yield from _masquerade("iptables", plan.pod_subnet, plan.node_subnet)
    if plan.is_dual_stack:
        yield from _node_commands_ipv6(plan, node)


def _node_commands_ipv6(plan: ClusterPlan, node: NodePlan) -> Iterable[Rule]:
    yield _turn_on("net/ipv6/conf/all/forwarding")
    yield _turn_on("net/bridge/bridge-nf-call-ip6tables")
    address = _with_prefix(node.address6, plan.node_subnet6)
    # No other node has it; a tentative address cannot be listened on.
    yield ["ip", "-6", "addr", "add", address, "dev", "eth0", "nodad"]
    yield ["ip", "-6", "route", "add", "default", "via", plan.gateway6]
    for other in plan.nodes:
        if other is not node:
            yield ["ip", "-6", "route", "add", other.pod_subnet6, "via", other.address6]
    yield from _masquerade("ip6tables", plan.pod_subnet6, plan.node_subnet6)


def _turn_on(setting: str) -> Rule:
    path = f"/proc/sys/{setting}"
    return ["sh", "-c", f"test ! -e {path} || echo 1 > {path}"]


def _masquerade(program: str, pods: str, nodes: str) -> Iterable[Rule]:
    """Yield commands by which what is far away sees the node's address.

    Pods keep theirs among themselves and towards the host, which has routes to them.
    """
    nat = [program, "-w", "-t", "nat"]
    yield [*nat, "-N", "MCPHUB-MASQ"]
    yield [*nat, "-A", "POSTROUTING", "-s", pods, "!", "-d", pods, "-j", "MCPHUB-MASQ"]
    yield [*nat, "-A", "MCPHUB-MASQ", "!", "-d", nodes, "-j", "MASQUERADE"]


def connect_node(plan: ClusterPlan, node: NodePlan, init: int, enter: Rule) -> None:
    """Give a node its interface, address, routes and settings."""
    link = _link_name(plan, node)
    try:
        address = hardware_address(plan, node.number + 1)
        peer = ["peer", "name", "eth0", "address", address, "netns", str(init)]
        run(["ip", "link", "add", link, "type", "veth", *peer])
        run(["ip", "link", "set", link, "master", plan.bridge, "up"])
        for words in _node_commands(plan, node):
            run([*enter, *words])
    except StepFailed as error:
        raise StepFailed(f"Connecting node {node.name}", str(error)) from error


def disconnect_node(plan: ClusterPlan, node: NodePlan) -> None:
    """Take a node's cable away.

    It would go by itself with the node's network namespace, but sockets that still
    wait for their peers can hold that for minutes.
    """
    link = _link_name(plan, node)
    if Path(f"/sys/class/net/{link}").exists():
        succeeds(["ip", "link", "delete", link])
