"""What the cache keeps of a node."""

from mcphub_operator.cache.nodes import build_node
from mcphub_operator.observed import Node


def test_a_node_has_its_external_addresses_first_and_its_first_family_first():
    found = [
        {"type": "Hostname", "address": "worker-1"},
        {"type": "InternalIP", "address": "10.0.0.1"},
        {"type": "InternalIP", "address": "fd00::1"},
        {"type": "ExternalIP", "address": "203.0.113.3"},
        {"type": "ExternalIP", "address": "2001:db8::3"},
    ]
    ready = [{"type": "Ready", "status": "True"}]
    item = {
        "metadata": {"name": "worker-1"},
        "status": {"addresses": found, "conditions": ready},
    }

    node = build_node(item)

    assert node == Node(
        "worker-1",
        ready=True,
        addresses=("203.0.113.3", "2001:db8::3", "10.0.0.1", "fd00::1"),
    )


def test_a_node_that_has_just_registered_has_no_address():
    assert build_node({"metadata": {"name": "worker-1"}}) == Node("worker-1")
