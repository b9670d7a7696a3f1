"""Each shape that pydantic writes becomes one that Kubernetes takes."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from mcphub_operator.crd_schema import structural_schema


class Inner(BaseModel):
    """A section."""

    size: int = 1
    name: str | None = None


class Shapes(BaseModel):
    """One field for each shape."""

    optional: Annotated[str, Field(max_length=5)] | None = None
    section: Inner = Inner()
    wanted: Inner | None = None
    either: int | str = 1
    mapped: dict[str, str] = {}
    listed: tuple[Inner, ...] = ()
    marked: Annotated[dict[str, Any], Field(json_schema_extra={"x-kubernetes-x": 1})]
    told: str = Field("", description="Two\nlines.")


PROPERTIES = structural_schema(Shapes)["properties"]
SECTION = {
    "description": "A section.",
    "type": "object",
    "properties": {
        "size": {"type": "integer", "default": 1},
        "name": {"type": "string"},
    },
}

ITEM = {
    "description": "A section.",
    "type": "object",
    "properties": {
        "size": {"type": "integer", "description": "Default: 1."},
        "name": {"type": "string"},
    },
}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param(
            "optional", {"type": "string", "maxLength": 5}, id="or null is dropped"
        ),
        pytest.param(
            "section",
            SECTION | {"default": {"size": 1}},
            id="a reference is written out, its default without nulls",
        ),
        pytest.param("wanted", SECTION, id="an optional reference is written out"),
        pytest.param(
            "either",
            {"default": 1, "x-kubernetes-int-or-string": True},
            id="int or string has a marker",
        ),
        pytest.param(
            "mapped",
            {
                "type": "object",
                "default": {},
                "additionalProperties": {"type": "string"},
            },
            id="a map keeps its values' schema",
        ),
        pytest.param(
            "listed",
            {"type": "array", "default": [], "items": ITEM},
            id="a tuple is a list, whose items have no defaults",
        ),
        pytest.param(
            "marked",
            {"type": "object", "x-kubernetes-x": 1},
            id="markers stay, free values need no schema",
        ),
        pytest.param(
            "told",
            {"type": "string", "default": "", "description": "Two lines."},
            id="descriptions are one line",
        ),
    ],
)
def test_a_shape_is_rewritten(field: str, expected: dict[str, Any]) -> None:
    assert PROPERTIES[field] == expected


def test_what_is_required_stays_so() -> None:
    assert structural_schema(Shapes)["required"] == ["marked"]


class Union(BaseModel):
    either: int | bool


class Constant(BaseModel):
    constant: Literal["a"]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        pytest.param(Union, "has no type for any of", id="a union"),
        pytest.param(Constant, "does not know const", id="a keyword of newer drafts"),
    ],
)
def test_what_kubernetes_cannot_say_is_refused(
    model: type[BaseModel], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        structural_schema(model)
