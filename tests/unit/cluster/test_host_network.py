"""What a cluster changes in the host's network, and the trees of control groups."""

import socket

import pytest

from tools.cluster.cgroups import check, parse_hierarchies, uses_v1
from tools.cluster.create import check_ports
from tools.cluster.errors import BadInput, MissingPart
from tools.cluster.hostnet import hardware_address, translation_rules
from tools.cluster.kindconfig import KindConfig, NodeConfig, PortMapping
from tools.cluster.plan import build_plan


def config_with(port, listen="127.0.0.1"):
    mapping = PortMapping(container_port=30800, host_port=port, listen_address=listen)
    node = NodeConfig(extra_port_mappings=(mapping,))
    return KindConfig(
        kind="Cluster", api_version="kind.x-k8s.io/v1alpha4", nodes=(node,)
    )


def test_a_loopback_port_leads_to_the_node_by_translation():
    plan = build_plan("demo", config_with(30800), 0)

    rule = " ".join(translation_rules(plan)[0])

    assert rule == (
        "-d 127.0.0.1/32 -p tcp --dport 30800 -j DNAT --to-destination 172.29.0.2:30800"
    )


def test_a_port_on_every_address_is_recognised_by_being_local():
    plan = build_plan("demo", config_with(80, "0.0.0.0"), 0)  # noqa: S104

    assert "--dst-type LOCAL" in " ".join(translation_rules(plan)[0])


def test_a_port_that_a_program_has_is_refused_with_what_to_do():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(BadInput, match=rf"port {port} .* is taken .*ss -ltnp"):
            check_ports(config_with(port), [])


def test_a_port_that_another_cluster_has_is_refused_by_that_name():
    other = build_plan("other", config_with(30800), 3)

    with pytest.raises(BadInput, match="leads to the cluster 'other'"):
        check_ports(config_with(30800), [other])


def test_a_node_keeps_its_hardware_address_and_shares_it_with_none():
    plans = [build_plan("demo", config_with(80), index) for index in (0, 0, 1)]

    first, again, other = (hardware_address(plan, 1) for plan in plans)

    assert first == again != other


V1 = """
24 23 0:21 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
25 23 0:22 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct
26 23 0:23 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
27 23 0:24 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
28 23 0:25 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
29 23 0:26 / /proc rw - proc proc rw
"""
V2 = "24 23 0:21 / {mount} rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"


def test_version_1_is_recognised_by_where_memory_is():
    assert uses_v1(parse_hierarchies(V1.strip()))


def test_version_2_alone_is_recognised():
    trees = parse_hierarchies(V2.format(mount="/sys/fs/cgroup"))

    assert not uses_v1(trees)
    assert trees[0].is_v2


def test_a_missing_controller_is_named():
    without_memory = "\n".join(
        line for line in V1.strip().splitlines() if "/cpuset " not in line
    )

    with pytest.raises(MissingPart, match="cpuset"):
        check(parse_hierarchies(without_memory))


def test_version_2_without_delegation_is_named(tmp_path):
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")

    with pytest.raises(MissingPart, match="cpuset, pids"):
        check(parse_hierarchies(V2.format(mount=tmp_path)))
