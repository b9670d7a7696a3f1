"""Command lines and configuration files of Kubernetes' own programs."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tools.cluster.addons import build_addons, metrics_objects, path_of
from tools.cluster.binaries import kubernetes_version, version_flags
from tools.cluster.components import ControlPlane, api_server_arguments, etcd_arguments
from tools.cluster.golang import parse_version, required_version
from tools.cluster.kindconfig import DEFAULT, Networking
from tools.cluster.nodeconfig import (
    NodeFacts,
    cni_config,
    containerd_config,
    kube_proxy_config,
    kubelet_config,
)
from tools.cluster.places import BINARY_SOURCE
from tools.cluster.plan import build_plan

PLAN = build_plan("demo", DEFAULT, 0)
NODE = PLAN.nodes[0]
FACTS = NodeFacts(
    folder=Path("/state/demo"),
    pki=Path("/pki"),
    cni_plugins=Path("/usr/lib/cni"),
    uses_cgroup_v1=True,
    may_raise_priority=False,
    is_only_node=False,
)
PLANE = ControlPlane(
    pki=Path("/pki"),
    kubeconfigs=Path("/conf"),
    data=Path("/data"),
    address="0.0.0.0",  # noqa: S104
    advertise="172.29.0.2",
    service_subnet="10.96.0.0/16",
)


def test_containerd_leaves_priorities_alone_where_it_may_not_raise_them():
    config = tomllib.loads(containerd_config(FACTS))

    cri = config["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["restrict_oom_score_adj"] is True
    assert cri["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is False


@pytest.mark.parametrize(
    ("facts", "key"),
    [
        pytest.param(FACTS, False, id="version 1 is allowed where it is what there is"),
        pytest.param(replace(FACTS, uses_cgroup_v1=False), None, id="else not said"),
    ],
)
def test_the_kubelet_is_told_of_old_control_groups(facts, key):
    config = yaml.safe_load(kubelet_config(PLAN, NODE, facts))

    assert config.get("failCgroupV1") is key


@pytest.mark.parametrize(
    ("is_only_node", "taints"), [(True, 0), (False, 1)], ids=["alone", "with workers"]
)
def test_a_control_plane_takes_pods_only_when_it_is_alone(is_only_node, taints):
    facts = replace(FACTS, is_only_node=is_only_node)

    config = yaml.safe_load(kubelet_config(PLAN, NODE, facts))

    assert len(config["registerWithTaints"]) == taints


def test_pods_of_a_cluster_of_both_families_have_addresses_of_both():
    dual = DEFAULT.model_copy(update={"networking": Networking(ip_family="dual")})
    plan = build_plan("demo", dual, 0)

    bridge = json.loads(cni_config(plan.nodes[0]))["plugins"][0]
    proxy = yaml.safe_load(kube_proxy_config(plan, plan.nodes[0], Path("/conf")))

    assert bridge["ipam"]["ranges"] == [
        [{"subnet": "10.160.0.0/24"}],
        [{"subnet": "fd6d:6368:1::/64"}],
    ]
    assert bridge["ipam"]["routes"] == [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]
    assert proxy["clusterCIDR"] == "10.160.0.0/16,fd6d:6368:1::/56"


def test_pods_keep_their_addresses_among_themselves():
    plugins = json.loads(cni_config(NODE))["plugins"]

    assert "ipMasq" not in plugins[0]
    assert plugins[0]["ipam"]["ranges"][0][0]["subnet"] == NODE.pod_subnet


def test_kube_proxy_leaves_the_hosts_connection_table_alone():
    config = yaml.safe_load(kube_proxy_config(PLAN, NODE, Path("/x")))

    assert config["conntrack"]["maxPerCore"] == 0


def test_etcd_listens_on_loopback_only():
    listens = [a for a in etcd_arguments(PLANE) if a.startswith("--listen")]

    assert listens
    assert all("//127.0.0.1:" in argument for argument in listens)


def test_an_api_without_nodes_does_not_announce_a_loopback_address():
    flag = "--endpoint-reconciler-type=none"

    assert flag not in api_server_arguments(PLANE)
    assert flag in api_server_arguments(replace(PLANE, has_nodes=False))


def test_addons_stand_at_the_paths_of_their_kinds():
    paths = [path_of(each) for each in build_addons(PLAN, "image:1")]

    assert "/api/v1/namespaces/kube-system/services/kube-dns" in paths
    assert "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io" in paths


def test_the_real_kind_is_given_metrics_and_keeps_its_own_dns():
    names = [each["metadata"]["name"] for each in metrics_objects("image:1")]

    assert "metrics-server" in names
    assert not any("dns" in name for name in names)


def test_kubernetes_is_told_its_version():
    version = kubernetes_version((BINARY_SOURCE / "go.mod").read_text())

    assert "version.gitVersion=v1." in version_flags(version)
    assert "version.gitMinor=" in version_flags(version)


@pytest.mark.parametrize(
    ("text", "version"),
    [("go1.26.8", (1, 26, 8)), ("go1.27", (1, 27, 0)), ("1.26.0", (1, 26, 0))],
)
def test_go_versions_compare_as_numbers(text, version):
    assert parse_version(text) == version


def test_the_needed_go_is_what_the_module_says():
    assert required_version("module x\n\ngo 1.26.0\n") == (1, 26, 0)
