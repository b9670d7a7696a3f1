"""Every constraint of the CRD's schema refuses a hub that breaks it.

The cases are made from the CRD itself: each constraint of each field is broken alone,
in a hub that is otherwise good. A field that the good hub does not set is an error
here, so a new field cannot stay untried.
"""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.support.hub_api import HubApi, Refused
from tools.project import CRD

Path_ = tuple[str | int, ...]

EVERY_FIELD = yaml.safe_load((Path(__file__).parent / "every_field.yaml").read_text())
VERSION = yaml.safe_load(CRD.read_text())["spec"]["versions"][0]
SPEC_SCHEMA = VERSION["schema"]["openAPIV3Schema"]["properties"]["spec"]

DELETE = object()


class Case(NamedTuple):
    """One constraint, and the value at a path that breaks it."""

    path: Path_
    constraint: str
    value: Any

    @property
    def id(self) -> str:
        return f"{dotted(self.path)} against {self.constraint}"


def dotted(path: Path_) -> str:
    parts = (f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
    return "".join(parts).removeprefix(".")


def broken_values(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[str, Any]]:
    """Yield a bad value for each constraint that a schema puts on a value."""
    wrong_types = {"string": 7, "integer": "seven", "boolean": "yes"}
    breakers = {
        "type": lambda kind: wrong_types.get(kind, "a text"),
        "enum": lambda _: "Bogus",
        "minimum": lambda least: least - 1,
        "maximum": lambda most: most + 1,
        "minLength": lambda _: "",
        "maxLength": lambda most: "x" * (most + 1),
        "pattern": lambda _: "§",
        "maxItems": lambda most: [value[0]] * (most + 1),
        "maxProperties": lambda most: {f"k{i}": "v" for i in range(most + 1)},
    }
    for constraint, breaker in breakers.items():
        if constraint in schema:
            yield constraint, breaker(schema[constraint])


def cases(schema: Mapping[str, Any], value: Any, path: Path_) -> Iterator[Case]:
    for constraint, bad in broken_values(schema, value):
        yield Case(path, constraint, bad)
    for name in schema.get("required", ()):
        if name in value:
            yield Case((*path, name), "required", DELETE)
    for name, nested in schema.get("properties", {}).items():
        if name in value:
            yield from cases(nested, value[name], (*path, name))
    if "items" in schema:
        for index, item in enumerate(value):
            yield from cases(schema["items"], item, (*path, index))
    if isinstance(values := schema.get("additionalProperties"), Mapping):
        key = next(iter(value))
        yield from cases(values, value[key], (*path, key))


def unset_fields(
    schema: Mapping[str, Any], values: Sequence[Any], path: str
) -> Iterator[str]:
    """Name the fields that none of the values, all of one schema, sets."""
    for name, nested in schema.get("properties", {}).items():
        found = [value[name] for value in values if name in value]
        if not found:
            yield f"{path}.{name}"
        yield from unset_fields(nested, found, f"{path}.{name}")
    if "items" in schema:
        items = [item for value in values for item in value]
        yield from unset_fields(schema["items"], items, f"{path}[]")


def broken(case: Case) -> dict[str, Any]:
    hub = copy.deepcopy(EVERY_FIELD)
    *parents, last = case.path
    holder: Any = hub
    for part in parents:
        holder = holder[part]
    if case.value is DELETE:
        del holder[last]
    else:
        holder[last] = case.value
    return dict(hub)


ALL_CASES = list(cases(SPEC_SCHEMA, EVERY_FIELD["spec"], ("spec",)))


def test_a_hub_that_sets_every_field_is_taken(api: HubApi) -> None:
    answer = api.try_hub(EVERY_FIELD)

    assert not isinstance(answer, Refused), answer


def test_the_good_hub_sets_every_field() -> None:
    missing = list(unset_fields(SPEC_SCHEMA, [EVERY_FIELD["spec"]], "spec"))

    assert missing == []


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.id)
def test_a_broken_constraint_is_refused_by_the_name_of_its_field(
    api: HubApi, case: Case
) -> None:
    answer = api.try_hub(broken(case))

    assert isinstance(answer, Refused), json.dumps(answer["spec"])
    assert dotted(case.path) in answer.fields, answer.message
