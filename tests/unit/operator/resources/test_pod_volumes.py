"""Pods have a token for the API server only where a backend reads it."""

from mcphub_operator.resources.network_policy import find_outside_ports
from mcphub_operator.resources.pod_volumes import build_volumes
from tests.support.observed import QDRANT, hub

CLUSTER = {"name": "cluster", "kubernetes": {"namespaces": ["shop"]}}


def find_sources(*backends):
    volumes = build_volumes(hub(backends=list(backends)))
    found = [each["projected"]["sources"] for each in volumes if "projected" in each]
    return found[0] if found else []


def test_a_hub_of_databases_has_no_token():
    assert "serviceAccountToken" not in str(build_volumes(hub(backends=[QDRANT])))


def test_a_disabled_backend_needs_no_token():
    assert find_sources(CLUSTER | {"enabled": False}) == []


def test_the_cluster_as_a_backend_has_a_token_that_expires_and_the_authority():
    assert find_sources(CLUSTER) == [
        {"serviceAccountToken": {"path": "cluster/token", "expirationSeconds": 3600}},
        {
            "configMap": {
                "name": "kube-root-ca.crt",
                "items": [{"key": "ca.crt", "path": "cluster/ca.crt"}],
            }
        },
    ]


def test_the_way_to_the_api_server_is_open_on_both_of_its_ports():
    assert find_outside_ports(hub(backends=[CLUSTER])) == (443, 6443)
