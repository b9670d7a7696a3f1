"""The committed CRD is the generated one, bounded everywhere and described."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from mcphub_operator.crd import build_crd, render_crd
from mcphub_operator.crd_reference import render_reference
from tools.project import ROOT

CRD = ROOT / "crds" / "mcphubs.yaml"
REFERENCE = ROOT / "docs" / "reference.md"
SCHEMA = build_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
KUBECTL_ANNOTATION_LIMIT = 262_144


def fields(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    yield path, schema
    for name, nested in schema.get("properties", {}).items():
        yield from fields(nested, f"{path}.{name}")
    for part, sign in (("items", "[]"), ("additionalProperties", "{}")):
        if part in schema:
            yield from fields(schema[part], f"{path}{sign}")


FIELDS = [
    found
    for section in ("spec", "status")
    for found in fields(SCHEMA["properties"][section], section)
]


def test_the_committed_file_is_what_the_spec_makes() -> None:
    assert CRD.read_text() == render_crd(), "run `make crd`"


def test_the_committed_reference_is_what_the_crd_makes() -> None:
    assert REFERENCE.read_text() == render_reference(), "run `make crd`"


def test_the_reference_names_every_field() -> None:
    text = REFERENCE.read_text()
    names = {path.rpartition(".")[2].rstrip("[]{}") for path, _ in FIELDS}

    assert {n for n in names - {"spec", "status"} if f"| `{n}` |" not in text} == set()


def test_items_of_lists_have_no_defaults() -> None:
    """D34: kubectl and Argo CD would find a difference in an unchanged manifest."""
    below = [path for path, schema in FIELDS if "default" in schema and "[]" in path]

    assert below == []


def test_the_file_fits_into_the_annotation_of_kubectl_apply() -> None:
    assert len(CRD.read_bytes()) < KUBECTL_ANNOTATION_LIMIT / 2


@pytest.mark.parametrize(
    ("kind", "bounds"),
    [
        pytest.param("string", {"maxLength", "enum"}, id="texts have a longest"),
        pytest.param("array", {"maxItems"}, id="lists have a most"),
        pytest.param(
            "object",
            {"maxProperties", "properties", "x-kubernetes-preserve-unknown-fields"},
            id="maps have a most",
        ),
    ],
)
def test_sizes_are_bounded_so_that_rules_stay_in_budget(
    kind: str, bounds: set[str]
) -> None:
    unbounded = [
        path
        for path, schema in FIELDS
        if schema.get("type") == kind and not bounds & schema.keys()
    ]

    assert unbounded == []


def test_every_field_is_explained() -> None:
    named = [(path, schema) for path, schema in FIELDS if path[-1] not in "]}"]

    assert [path for path, schema in named if not schema.get("description")] == []


def test_the_status_has_no_defaults() -> None:
    defaulted = [
        path
        for path, schema in FIELDS
        if path.startswith("status") and "default" in schema
    ]

    assert defaulted == []
