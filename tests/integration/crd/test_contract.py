"""What the API server takes, the operator renders and the server reads, as was meant.

The only place where both packages meet in a test: the server's configuration is made
from a hub by the one and read by the other.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from mcphub_operator.resources.config_map import (
    SECTIONS,
    build_config,
    build_config_map,
    build_live_digest,
    build_live_text,
)
from mcphub_operator.spec.hub import Hub, parse_hub
from mcphub_server.config.hub import HubConfig
from mcphub_server.config.live import parse_live
from mcphub_server.config.load import parse_hub_config
from tests.support.drawn_hubs import REAL_TEXTS, draw_sections
from tests.support.hub_api import HubApi
from tools.project import ROOT

HUBS = [
    pytest.param(document, id=f"{file.parent.name}/{file.stem}")
    for file in [
        *sorted((ROOT / "examples").rglob("*.yaml")),
        Path(__file__).parent / "every_field.yaml",
    ]
    for document in yaml.safe_load_all(file.read_text())
    if document and document["kind"] == "McpHub"
]
OLD_SERVERS = sorted((Path(__file__).parent / "frozen").glob("*.json"))
"""The settings of released servers as JSON Schemas, for good. Never edit; add a file
for each release instead."""
OLD_HUB = """
metadata: {name: old, namespace: default}
spec:
  backends:
  - name: orders
    postgres: {host: h, database: d, credentialsSecretRef: {name: s}}
  - name: documents
    enabled: false
    qdrant: {url: "http://q:6333", embedding: {url: "http://e", model: m}}
  - name: graph
    neo4j: {uri: "neo4j://n:7687", credentialsSecretRef: {name: s}}
  auth:
    type: JWT
    jwt: {issuer: i, audience: a, jwksURI: "https://i/keys", requiredScopes: [read]}
  limits: {maxRows: 10}
"""
DRAWN = {
    name: strategy
    for name, strategy in draw_sections(REAL_TEXTS).items()
    if name in SECTIONS
}


def render(hub: Hub) -> str:
    text: str = build_config_map(hub, "1.0")["data"]["hub.yaml"]
    return text


def read(text: str) -> HubConfig:
    return parse_hub_config(yaml.safe_load(text), source="hub.yaml")


def named(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"metadata": {"namespace": "default"} | document["metadata"]}


@pytest.mark.parametrize("document", HUBS)
def test_the_server_reads_what_the_hub_says(document: dict[str, Any]) -> None:
    hub = parse_hub(named(document))

    config = read(render(hub))

    written = config.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert rest_of(written) == rest_of(build_config(hub, omitted=frozenset()))


def rest_of(config: dict[str, Any]) -> dict[str, Any]:
    """Leave out an identity provider that says nothing, which the server makes up."""
    auth = {k: v for k, v in config["auth"].items() if k != "jwt" or v.get("issuer")}
    return config | {"auth": auth}


@pytest.mark.parametrize("image", OLD_SERVERS, ids=lambda path: path.stem)
def test_an_older_server_reads_a_hub_that_uses_nothing_new(image: Path) -> None:
    hub = parse_hub(yaml.safe_load(OLD_HUB))

    jsonschema.validate(build_config(hub), json.loads(image.read_text()))


@pytest.mark.parametrize("document", HUBS)
def test_the_server_reads_the_live_part_as_the_hub_says(
    document: dict[str, Any],
) -> None:
    hub = parse_hub(named(document))
    text = build_live_text(hub)

    live = parse_live(text)

    assert live.bad == ()
    assert live.bad_prompts == ()
    assert live.digest == build_live_digest(hub)
    shown = {"tools": [dump(tool) for tool in live.tools]}
    if live.prompts:
        shown["prompts"] = [dump(prompt) for prompt in live.prompts]
    if live.access is not None:
        shown["access"] = dump(live.access)
    assert shown == yaml.safe_load(text)


def dump(config: BaseModel) -> Any:
    return config.model_dump(mode="json", by_alias=True, exclude_none=True)


@pytest.mark.parametrize("document", HUBS)
def test_no_reference_to_a_secret_is_rendered(document: dict[str, Any]) -> None:
    hub = parse_hub(named(document))

    assert "SecretRef" not in render(hub)


@settings(max_examples=100, deadline=None, suppress_health_check=[*HealthCheck])
@given(spec=st.fixed_dictionaries({}, optional=DRAWN))
def test_the_server_reads_whatever_the_api_server_takes(
    api: HubApi, spec: dict[str, Any]
) -> None:
    head = {"apiVersion": "mcp.bigtorig.com/v1alpha1", "kind": "McpHub"}
    hub = head | {"metadata": {"name": "drawn", "namespace": "default"}, "spec": spec}
    taken = api.try_hub(hub)
    event("taken" if isinstance(taken, dict) else taken.message[40:140])
    assume(isinstance(taken, dict))

    config = read(render(parse_hub(taken)))

    names = [backend["name"] for backend in spec.get("backends", ())]
    assert [backend.name for backend in config.backends] == names
