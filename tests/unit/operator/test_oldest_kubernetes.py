"""The definition asks nothing of an API server that the oldest version lacks.

An API server refuses a definition with a rule whose functions it does not know. Which
version has which library: `pkg/cel/environment/base.go` of k8s.io/apiserver.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from mcphub_operator.crd import build_crd

RULES = "x-kubernetes-validations"
FUNCTIONS = {
    "of CEL itself": {
        *("all", "exists", "exists_one", "filter", "has", "map"),
        *("contains", "double", "matches", "size", "startsWith", "string", "type"),
    },
    "of 1.25": {"lowerAscii", "split", "sum"},
    "of 1.28": {"compareTo", "isQuantity", "quantity"},
    "of 1.30": {"isCIDR", "isIP"},
}
FIELDS = {"rule", "message", "messageExpression", "reason", "fieldPath"}
"""Of a rule, in 1.30: the last two are of 1.28."""


def find_rules(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every rule of a schema."""
    if isinstance(part, dict):
        yield from part.get(RULES, [])
        for each in part.values():
            yield from find_rules(each)
    elif isinstance(part, list):
        for each in part:
            yield from find_rules(each)


def find_functions(rule: dict[str, Any]) -> set[str]:
    """Return the names that a rule calls; text in quotes calls nothing."""
    text = " ".join(rule.get(key, "") for key in ("rule", "messageExpression"))
    return set(re.findall(r"(\w+)\(", re.sub(r"'(?:[^'\\]|\\.)*'", "''", text)))


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    return list(find_rules(build_crd()))


def test_rules_call_functions_that_kubernetes_1_30_has(
    rules: list[dict[str, Any]],
) -> None:
    known = {name for names in FUNCTIONS.values() for name in names}

    called = {name for rule in rules for name in find_functions(rule)}

    assert called - known == set()


def test_what_makes_1_30_the_oldest_is_called(rules: list[dict[str, Any]]) -> None:
    called = {name for rule in rules for name in find_functions(rule)}

    assert called >= FUNCTIONS["of 1.30"]


def test_rules_have_fields_that_kubernetes_1_30_has(
    rules: list[dict[str, Any]],
) -> None:
    assert {key for rule in rules for key in rule} <= FIELDS
