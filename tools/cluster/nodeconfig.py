"""Configuration files of the programs on a node: pure, one function a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.cluster.cgroups import node_path
from tools.cluster.plan import ClusterPlan, NodePlan

PAUSE_IMAGE = "mcphub.test/pause:1"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
CONTROL_PLANE_TAINT = "node-role.kubernetes.io/control-plane"
CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane"


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What the machine decides about a node's configuration."""

    folder: Path
    pki: Path
    cni_plugins: Path
    uses_cgroup_v1: bool
    may_raise_priority: bool  # CAP_SYS_RESOURCE
    is_only_node: bool


def _toml(table: dict[str, Any], path: str = "") -> str:
    """Write nested tables of plain values as TOML."""
    plain = {k: v for k, v in table.items() if not isinstance(v, dict)}
    # JSON's strings, numbers, booleans and lists are TOML's too.
    lines = [f"{key} = {json.dumps(value)}" for key, value in plain.items()]
    text = (f"[{path}]\n" if path and plain else "") + "".join(f"{x}\n" for x in lines)
    for key, value in table.items():
        if isinstance(value, dict):
            name = key if key.isalnum() else json.dumps(key)
            text += _toml(value, f"{path}.{name}" if path else name)
    return text


def containerd_config(facts: NodeFacts) -> str:
    """Return containerd's configuration."""
    runc = {
        "runtime_type": "io.containerd.runc.v2",
        "options": {"SystemdCgroup": False},
    }
    cri = {
        "sandbox_image": PAUSE_IMAGE,
        # Without CAP_SYS_RESOURCE runc dies of the oom score that pods ask for.
        "restrict_oom_score_adj": not facts.may_raise_priority,
        "disable_apparmor": True,
        "containerd": {
            "snapshotter": "overlayfs",
            "default_runtime_name": "runc",
            "runtimes": {"runc": runc},
        },
        "cni": {
            "bin_dir": str(facts.cni_plugins),
            "conf_dir": str(facts.folder / "cni"),
        },
    }
    return _toml(
        {
            "version": 2,
            "root": str(facts.folder / "containerd"),
            "state": "/run/containerd",
            "disabled_plugins": ["io.containerd.snapshotter.v1.devmapper"],
            "grpc": {"address": CONTAINERD_SOCKET},
            "plugins": {"io.containerd.grpc.v1.cri": cri},
        }
    )


def cni_config(node: NodePlan) -> str:
    """Return the pod network of a node: a bridge, and addresses from its slice."""
    families = {"0.0.0.0/0": node.pod_subnet, "::/0": node.pod_subnet6}
    present = {default: subnet for default, subnet in families.items() if subnet}
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": subnet}] for subnet in present.values()],
        "routes": [{"dst": default} for default in present],
        # Gone with the node, as its pods are.
        "dataDir": "/run/cni-addresses",
    }
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "hairpinMode": True,
        "ipam": addresses,
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps(
        {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, portmap]}, indent=1
    )


def _taints(node: NodePlan, facts: NodeFacts) -> list[dict[str, str]]:
    # As kind does it: a cluster of one node must be able to run pods on it.
    if not node.is_control_plane or facts.is_only_node:
        return []
    return [{"key": CONTROL_PLANE_TAINT, "effect": "NoSchedule"}]


def kubelet_config(plan: ClusterPlan, node: NodePlan, facts: NodeFacts) -> str:
    """Return the kubelet's configuration."""
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(facts.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(facts.pki / f"{node.name}.crt"),
        "tlsPrivateKeyFile": str(facts.pki / f"{node.name}.key"),
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": node_path(plan.name, node.name),
        "clusterDomain": "cluster.local",
        "clusterDNS": [plan.dns_ip],
        "resolvConf": str(facts.folder / "resolv.conf"),
        "podLogsDir": str(facts.folder / "pod-logs"),
        "volumePluginDir": str(facts.folder / "volume-plugins"),
        "failSwapOn": False,
        "registerWithTaints": _taints(node, facts),
        # The host's disk and memory are not this cluster's to judge.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        # Fault tests wait for what these report.
        "nodeStatusUpdateFrequency": "4s",
        "nodeLeaseDurationSeconds": 20,
        "syncFrequency": "10s",
        "maxPods": 200,
    }
    if facts.uses_cgroup_v1:
        config["failCgroupV1"] = False
    return yaml.safe_dump(config, sort_keys=False)


def kube_proxy_config(plan: ClusterPlan, node: NodePlan, kubeconfig: Path) -> str:
    """Return kube-proxy's configuration."""
    config = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "hostnameOverride": node.name,
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "mode": "iptables",
        "clusterCIDR": plan.pod_subnets,
        # The kernel's table is the host's; a node must leave its size alone.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
        "iptables": {"localhostNodePorts": True, "minSyncPeriod": "100ms"},
    }
    return yaml.safe_dump(config, sort_keys=False)
