"""The server's configuration: hosts that are derived from other fields."""

from typing import Any

import pytest
import yaml

from mcphub_operator.resources.config_map import build_config_map
from mcphub_operator.spec.hub import parse_hub

ROUTE = {"parentRefs": [{"name": "edge"}], "hostnames": ["a.example.com"]}


def hosts_of(spec: dict[str, Any]) -> list[str]:
    document = {"metadata": {"name": "team", "namespace": "default"}, "spec": spec}
    manifest = build_config_map(parse_hub(document), "1.0")
    hosts: list[str] = yaml.safe_load(manifest["data"]["hub.yaml"])["allowedHosts"]
    return hosts


@pytest.mark.parametrize(
    ("spec", "hosts"),
    [
        ({}, []),
        ({"allowedHosts": ["b.example.com"]}, ["b.example.com"]),
        ({"allowedHosts": ["b.example.com", "b.example.com"]}, ["b.example.com"]),
        ({"route": ROUTE}, ["a.example.com"]),
        (
            {"route": ROUTE, "allowedHosts": ["b.example.com"]},
            ["b.example.com", "a.example.com"],
        ),
    ],
    ids=["none", "own", "a host twice", "a route's", "both"],
)
def test_hosts_are_the_hubs_own_and_its_routes(spec, hosts) -> None:
    assert hosts_of(spec) == hosts
