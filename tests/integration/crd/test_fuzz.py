"""Whatever the CRD's schema lets through, the operator can read.

Hubs are made from the committed schema. What only CEL knows is brought in line first:
Kubernetes checks it, JSON Schema cannot.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_jsonschema import from_schema

from mcphub_operator.spec.hub import parse_hub
from mcphub_operator.spec.hub_spec import HubSpec
from mcphub_operator.spec.references import secret_refs

CRD = Path(__file__).parents[3] / "crds" / "mcphubs.yaml"
(VERSION,) = yaml.safe_load(CRD.read_text())["spec"]["versions"]
SPEC = VERSION["schema"]["openAPIV3Schema"]["properties"]["spec"]
MEMBERS = ("postgres", "qdrant", "neo4j")
MOST_ITEMS = 3
MOST_LETTERS = 40


def plain_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a CRD schema in the words of JSON Schema, small enough to draw from."""
    plain = {k: v for k, v in schema.items() if not k.startswith("x-kubernetes-")}
    if "x-kubernetes-int-or-string" in schema:
        plain["type"] = ["integer", "string"]
    if "properties" in schema:
        nested = schema["properties"].items()
        plain["properties"] = {name: plain_schema(each) for name, each in nested}
        plain["additionalProperties"] = False  # the API server prunes the rest
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), Mapping):
            plain[part] = plain_schema(schema[part])
    if "maxItems" in plain:
        plain["maxItems"] = min(MOST_ITEMS, plain["maxItems"])
    if "maxProperties" in plain:
        plain["maxProperties"] = min(MOST_ITEMS, plain["maxProperties"])
    if "maxLength" in plain:
        plain["maxLength"] = min(MOST_LETTERS, plain["maxLength"])
    if "pattern" in plain:
        # Python's $ also stands before a last line feed; Go's does not.
        plain["pattern"] = plain["pattern"].replace("$", r"\Z")
    plain.pop("format", None)
    return plain


BACKEND = plain_schema(SPEC["properties"]["backends"]["items"])
ONE_OF_EACH = [
    BACKEND
    | {
        "required": ["name", member],
        "properties": {
            name: schema
            for name, schema in BACKEND["properties"].items()
            if name not in MEMBERS or name == member
        },
    }
    for member in MEMBERS
]

BACKENDS = st.lists(
    st.one_of([from_schema(schema) for schema in ONE_OF_EACH]),
    max_size=MOST_ITEMS,
    unique_by=lambda backend: backend["name"],
)
SECTIONS = {
    name: from_schema(plain_schema(schema))
    for name, schema in SPEC["properties"].items()
    if name != "backends"
}
HUBS = st.fixed_dictionaries({}, optional=SECTIONS | {"backends": BACKENDS})


def body(spec: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"namespace": "ai", "name": "team"}, "spec": spec}


SLOW_TO_DRAW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.mark.parametrize("section", sorted(SECTIONS))
@settings(max_examples=50, deadline=None, suppress_health_check=SLOW_TO_DRAW)
@given(data=st.data())
def test_a_section_that_the_schema_takes_can_be_read(
    section: str, data: st.DataObject
) -> None:
    value = data.draw(SECTIONS[section])

    hub = parse_hub(body({section: value}))

    assert section in hub.spec.model_dump(by_alias=True)


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW_TO_DRAW)
@given(backends=BACKENDS)
def test_backends_that_the_schema_takes_can_be_read(
    backends: list[dict[str, Any]],
) -> None:
    hub = parse_hub(body({"backends": backends}))

    served = {backend["name"] for backend in backends if backend.get("enabled", True)}
    assert {ref.backend for ref in secret_refs(hub)} <= served


@settings(max_examples=50, deadline=None, suppress_health_check=SLOW_TO_DRAW)
@given(spec=HUBS)
def test_a_hub_survives_being_written_and_read_again(spec: dict[str, Any]) -> None:
    hub = parse_hub(body(spec))

    written = hub.spec.model_dump(mode="json", exclude_none=True)

    assert HubSpec.model_validate(written) == hub.spec
