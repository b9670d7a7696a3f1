"""Hubs drawn from the committed CRD's schema, for tests that want many.

JSON Schema does not know what CEL checks. What decides most of it is brought in line:
a backend has one member, and texts with a shape, such as URLs, can be drawn from a
list of real ones.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from hypothesis import strategies as st
from hypothesis_jsonschema import from_schema

from tools.project import CRD

(_VERSION,) = yaml.safe_load(CRD.read_text())["spec"]["versions"]
SPEC = _VERSION["schema"]["openAPIV3Schema"]["properties"]["spec"]
_STATUS = _VERSION["schema"]["openAPIV3Schema"]["properties"]["status"]

MEMBERS = ("postgres", "qdrant", "neo4j", "mongodb", "kubernetes")
MOST = {"maxItems": 3, "maxProperties": 3, "maxLength": 40}

URL = "https://example.com:8443/path"
REAL_TEXTS: Mapping[str, Sequence[str]] = {
    "host": ["postgres.data.svc", "mcp.example.com", "db", "fd00::1", "10.0.0.1"],
    "url": ["http://qdrant:6333", URL],
    "publicURL": ["", URL],
    "jwksURI": ["", URL],
    "issuer": ["", URL, "issuer"],
    "allowedHosts": ["mcp.example.com", "mcp.example.com:8443"],
    "hostnames": ["mcp.example.com", "hub.example.com"],
    "trustedProxies": ["10.0.0.0/8", "fd00::/8"],
}

REAL_URIS: Mapping[str, Sequence[str]] = {
    "neo4j": ["neo4j+s://graph:7687", "bolt://graph"],
    "mongodb": ["mongodb://a:27017,b:27018", "mongodb+srv://cluster.example.net"],
}

BACKEND_NAME = r"^[a-z][a-z0-9_]{0,29}\Z"
"""What a rule of CEL allows, where texts are to be real."""

Strategies = dict[str, st.SearchStrategy[Any]]


def draw_sections(real_texts: Mapping[str, Sequence[str]]) -> Strategies:
    """Return a strategy for each field of a hub's spec.

    Args:
        real_texts: what to draw from for fields of these names, wherever they stand;
            empty: any text that the schema takes.
    """
    sections = {
        name: from_schema(_plain(schema, name, real_texts))
        for name, schema in SPEC["properties"].items()
        if name != "backends"
    }
    return sections | {"backends": _draw_backends(real_texts)}


def _draw_backends(
    real_texts: Mapping[str, Sequence[str]],
) -> st.SearchStrategy[list[Any]]:
    schema = _plain(SPEC["properties"]["backends"]["items"], "", real_texts)
    if real_texts:
        schema["properties"]["name"] = {"type": "string", "pattern": BACKEND_NAME}
        for member, uris in REAL_URIS.items():
            options = schema["properties"][member]["properties"]
            options["uri"] = {"enum": [*uris]}
    return st.lists(
        st.one_of([from_schema(_with_one_member(schema, m)) for m in MEMBERS]),
        max_size=MOST["maxItems"],
        unique_by=lambda backend: backend["name"],
    )


def _with_one_member(schema: dict[str, Any], member: str) -> dict[str, Any]:
    kept = {
        name: nested
        for name, nested in schema["properties"].items()
        if name not in MEMBERS or name == member
    }
    return schema | {"required": ["name", member], "properties": kept}


def _plain(
    schema: Mapping[str, Any], name: str, real_texts: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Return a CRD schema in the words of JSON Schema, small enough to draw from."""
    if name in real_texts and schema.get("type") == "string":
        return {"enum": [*real_texts[name]]}
    plain = {k: v for k, v in schema.items() if not k.startswith("x-kubernetes-")}
    plain |= {key: min(most, plain[key]) for key, most in MOST.items() if key in plain}
    if "x-kubernetes-int-or-string" in schema:
        plain["type"] = ["integer", "string"]
    if "properties" in schema:
        nested = schema["properties"].items()
        plain["properties"] = {key: _plain(s, key, real_texts) for key, s in nested}
        plain["additionalProperties"] = False  # the API server prunes the rest
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), Mapping):
            plain[part] = _plain(schema[part], name, real_texts)
    if "pattern" in plain:
        # Python's $ also stands before a last line feed; Go's does not.
        plain["pattern"] = plain["pattern"].replace("$", r"\Z")
    return plain


STATUS = _plain(_STATUS, "", {})
"""The schema of a status, in the words of JSON Schema."""
