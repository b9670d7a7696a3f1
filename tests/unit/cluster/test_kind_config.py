"""kind's own configuration file, as far as clusters without Docker honour it."""

import pytest

from tools.cluster.errors import BadInput
from tools.cluster.kindconfig import parse_config

HEAD = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"


def test_nodes_and_ports_are_read():
    text = (
        HEAD
        + """
nodes:
- role: control-plane
  extraPortMappings:
  - {containerPort: 30800, hostPort: 30801, listenAddress: 127.0.0.1}
- role: worker
  labels: {zone: a}
"""
    )

    config = parse_config(text, "x.yaml")

    first, second = config.nodes
    mapping = first.extra_port_mappings[0]
    assert (mapping.host_port, mapping.container_port) == (30801, 30800)
    assert second.labels == {"zone": "a"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("nodes: [", "x.yaml is not YAML", id="broken YAML"),
        pytest.param("kind: Pod\n", "kind: Input should be 'Cluster'", id="not kind's"),
        pytest.param(
            HEAD + "nodes: [{role: control-plane, extraMounts: []}]",
            "nodes.0.extraMounts is not supported by clusters made without Docker",
            id="a field that only the real kind honours",
        ),
        pytest.param(
            HEAD + "nodes: [{role: worker}]",
            "exactly one must have the role control-plane",
            id="no control plane",
        ),
        pytest.param(
            HEAD + "nodes: [{extraPortMappings: [{hostPort: 70000}]}]",
            "nodes.0.extraPortMappings.0",
            id="a port that cannot be",
        ),
        pytest.param(
            HEAD
            + "nodes: [{extraPortMappings: [{hostPort: 80, containerPort: 80},"
            + " {hostPort: 80, containerPort: 81}]}]",
            "TCP 80 is mapped twice",
            id="one port to two places",
        ),
        pytest.param("", "x.yaml", id="nothing at all"),
    ],
)
def test_a_bad_file_is_refused_with_a_sentence(text, sentence):
    with pytest.raises(BadInput) as refused:
        parse_config(text, "x.yaml")

    assert sentence in str(refused.value)
