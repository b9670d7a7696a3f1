"""Names, addresses and ports are decided before anything starts."""

import ipaddress
import json

import pytest

from tools.cluster.errors import BadInput
from tools.cluster.kindconfig import DEFAULT, KindConfig, Networking, NodeConfig
from tools.cluster.plan import (
    build_plan,
    choose_index,
    plan_from_document,
    plan_to_document,
)


def three_nodes():
    roles = ("control-plane", "worker", "worker")
    return KindConfig(
        kind="Cluster",
        api_version="kind.x-k8s.io/v1alpha4",
        nodes=tuple(NodeConfig(role=role) for role in roles),
    )


def test_nodes_are_named_as_kind_names_them():
    plan = build_plan("demo", three_nodes(), 0)

    names = [node.name for node in plan.nodes]

    assert names == ["demo-control-plane", "demo-worker", "demo-worker2"]


def test_a_file_without_nodes_means_one_that_does_everything():
    plan = build_plan("demo", DEFAULT, 0)

    assert [node.is_control_plane for node in plan.nodes] == [True]


def test_no_two_nodes_share_addresses_or_pods():
    plan = build_plan("demo", three_nodes(), 0)

    assert len({node.address for node in plan.nodes}) == 3
    assert len({node.pod_subnet for node in plan.nodes}) == 3


def test_clusters_of_different_index_share_no_network_interface_or_chain():
    one, two = (build_plan(name, three_nodes(), i) for i, name in enumerate("ab"))

    assert not _network(one.pod_subnet).overlaps(_network(two.pod_subnet))
    assert not _network(one.node_subnet).overlaps(_network(two.node_subnet))
    assert (one.bridge, one.chain) != (two.bridge, two.chain)


def _network(text):
    return ipaddress.IPv4Network(text)


def test_a_cluster_of_both_families_gives_each_node_addresses_of_both():
    networking = Networking(ip_family="dual")
    config = three_nodes().model_copy(update={"networking": networking})

    plan = build_plan("demo", config, 5)

    assert plan.service_subnets == "10.96.0.0/16,fd6d:6368:2::/112"
    assert [node.addresses for node in plan.nodes] == [
        f"172.29.5.{number},fd6d:6368:0:5::{number}" for number in (2, 3, 4)
    ]
    pods = ipaddress.IPv6Network(plan.pod_subnet6)
    slices = [ipaddress.IPv6Network(node.pod_subnet6) for node in plan.nodes]
    assert len(set(slices)) == 3
    assert all(one.subnet_of(pods) for one in slices)
    assert plan_from_document(json.loads(json.dumps(plan_to_document(plan)))) == plan


def test_interface_names_fit_the_kernel():
    plan = build_plan("demo", three_nodes(), 63)

    assert len(plan.bridge) <= 15


@pytest.mark.parametrize(
    ("taken", "networks", "index"),
    [
        pytest.param(set(), [], 0, id="the first one"),
        pytest.param({0, 1}, [], 2, id="not another cluster's"),
        pytest.param(set(), ["172.29.0.0/16"], None, id="none where all are routed"),
        pytest.param(set(), ["172.29.0.0/24"], 1, id="not where the host has a route"),
        pytest.param(set(), ["10.160.0.0/15"], 2, id="not where pods would collide"),
    ],
)
def test_an_index_is_free_in_every_respect(taken, networks, index):
    routes = [_network(network) for network in networks]

    if index is None:
        with pytest.raises(BadInput, match="no free subnets"):
            choose_index(taken, routes)
    else:
        assert choose_index(taken, routes) == index


@pytest.mark.parametrize("name", ["", "Demo", "a/b", "../x", "-a", "a" * 41])
def test_a_name_that_cannot_be_is_refused(name):
    with pytest.raises(BadInput, match="not a valid cluster name"):
        build_plan(name, DEFAULT, 0)


def test_a_plan_that_was_written_down_reads_back_the_same():
    plan = build_plan("demo", three_nodes(), 5)

    again = plan_from_document(json.loads(json.dumps(plan_to_document(plan))))

    assert again == plan
