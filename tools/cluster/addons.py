"""CoreDNS and metrics-server: pods from one image that holds our one binary."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Any

import yaml

from tools.cluster.api import ApiClient
from tools.cluster.plan import ClusterPlan

MANIFEST = Path(__file__).parent / "manifests" / "addons.yaml"
MOST_DNS_REPLICAS = 2


def _fill_in(image: str, dns_ip: str, dns_replicas: int) -> list[dict[str, Any]]:
    text = Template(MANIFEST.read_text()).substitute(
        image=image, dns_ip=dns_ip, dns_replicas=dns_replicas
    )
    return list(yaml.safe_load_all(text))


def build_addons(plan: ClusterPlan, image: str) -> list[dict[str, Any]]:
    """Return the objects of the add-ons."""
    replicas = min(MOST_DNS_REPLICAS, len(plan.nodes))
    return _fill_in(image, plan.dns_ip, replicas)


def metrics_objects(image: str) -> list[dict[str, Any]]:
    """Return the objects of metrics-server alone, for clusters that have a DNS."""
    objects = _fill_in(image, "", 0)
    return [each for each in objects if "metrics" in each["metadata"]["name"]]


def path_of(manifest: dict[str, Any]) -> str:
    """Return the path under which the API keeps an object."""
    version, metadata = manifest["apiVersion"], manifest["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    namespace = metadata.get("namespace")
    middle = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{middle}/{manifest['kind'].lower()}s/{metadata['name']}"


def apply_addons(client: ApiClient, plan: ClusterPlan, image: str) -> None:
    """Apply the add-ons."""
    for manifest in build_addons(plan, image):
        client.apply(path_of(manifest), manifest)


def answers_names(client: ApiClient) -> bool:
    """Tell whether the cluster's DNS is there."""
    dns = client.get("/apis/apps/v1/namespaces/kube-system/deployments/coredns")
    return bool(dns.get("status", {}).get("availableReplicas", 0))


def measures_usage(client: ApiClient) -> bool:
    """Tell whether `kubectl top` answers."""
    return bool(client.get("/apis/metrics.k8s.io/v1beta1/nodes").get("items"))
