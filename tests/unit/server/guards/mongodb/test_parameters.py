"""A caller's value stays a value, wherever a declared pipeline takes it."""

import json
from typing import Any

import pytest

from mcphub_server.errors import Rejected
from mcphub_server.guards.mongodb.parameters import Binding, read_declared

HOSTILE = ["$secret", "$$ROOT", "$$USER_ROLES", '{"$gt": ""}', "$where", "", "\u2028"]
P = {"$param": "p"}


def declare(*stages: Any, **command: Any) -> str:
    return json.dumps({"aggregate": "orders", "pipeline": list(stages), **command})


def bind(*stages: Any, value: object = "$secret") -> Any:
    declared = read_declared(declare(*stages), ("orders", "customers"))
    return Binding({"p": value}).bind(declared.stages)


PLACES = [
    pytest.param({"$match": {"a.b": P}}, {"$match": {"a.b": {"$eq": 0}}}, id="a field"),
    pytest.param(
        {"$match": {"a": {"$gte": P, "$lt": 5}}},
        {"$match": {"a": {"$gte": 0, "$lt": 5}}},
        id="a comparison",
    ),
    pytest.param(
        {"$match": {"a": {"$in": ["x", P]}}},
        {"$match": {"a": {"$in": ["x", 0]}}},
        id="an item of a list",
    ),
    pytest.param(
        {"$match": {"$or": [{"a": P}, {"b": {"$not": {"$eq": P}}}]}},
        {"$match": {"$or": [{"a": {"$eq": 0}}, {"b": {"$not": {"$eq": 0}}}]}},
        id="beneath a logical operator",
    ),
    pytest.param(
        {"$match": {"items": {"$elemMatch": {"sku": P}}}},
        {"$match": {"items": {"$elemMatch": {"sku": {"$eq": 0}}}}},
        id="a field of an item",
    ),
    pytest.param(
        {"$match": {"ns": {"$elemMatch": {"$gt": P}}}},
        {"$match": {"ns": {"$elemMatch": {"$gt": 0}}}},
        id="an item",
    ),
    pytest.param(
        {"$match": {"$expr": {"$eq": ["$a", P]}}},
        {"$match": {"$expr": {"$eq": ["$a", {"$literal": 0}]}}},
        id="an expression in a filter",
    ),
    pytest.param(
        {"$match": {"$text": {"$search": P, "$language": "en"}}},
        {"$match": {"$text": {"$search": 0, "$language": "en"}}},
        id="words to search for",
    ),
    pytest.param(
        {"$set": {"a": {"$concat": ["$b", P]}}},
        {"$set": {"a": {"$concat": ["$b", {"$literal": 0}]}}},
        id="an expression",
    ),
    pytest.param(
        {"$set": {"a": {"$literal": P}}}, {"$set": {"a": {"$literal": 0}}}, id="literal"
    ),
    pytest.param(
        {"$group": {"_id": P}}, {"$group": {"_id": {"$literal": 0}}}, id="key"
    ),
    pytest.param({"$limit": P}, {"$limit": 0}, id="a count"),
    pytest.param(
        {"$facet": {"one": [{"$match": {"a": P}}]}},
        {"$facet": {"one": [{"$match": {"a": {"$eq": 0}}}]}},
        id="a facet",
    ),
    pytest.param(
        {
            "$lookup": {
                "from": "customers",
                "let": {"c": P},
                "pipeline": [{"$match": {"a": P}}],
                "as": "c",
            }
        },
        {
            "$lookup": {
                "from": "customers",
                "let": {"c": {"$literal": 0}},
                "pipeline": [{"$match": {"a": {"$eq": 0}}}],
                "as": "c",
            }
        },
        id="a join",
    ),
]


@pytest.mark.parametrize(("stage", "expected"), PLACES)
@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_is_literal_in_every_place(
    stage: dict[str, Any], expected: dict[str, Any], value: str
) -> None:
    quoted = json.dumps(value)
    wanted = json.loads(json.dumps(expected).replace("0", quoted))

    assert bind(stage, value=value) == [wanted]


MISPLACED = [
    pytest.param({"$match": P}, id="a whole filter"),
    pytest.param({"$match": {"$comment": P}}, id="a comment"),
    pytest.param({"$match": {"a": {"$regex": P}}}, id="a pattern"),
    pytest.param({"$match": {"a": {"$type": P}}}, id="a type"),
    pytest.param({"$match": {"a": {"b": P}}}, id="a part of a document"),
    pytest.param({"$match": {"a": {"$in": [{"b": P}]}}}, id="a part of a list's item"),
    pytest.param({"$match": {"$jsonSchema": {"title": P}}}, id="a schema"),
    pytest.param({"$match": {"a": {"$eq": P, "x": 1}}}, id="mixed with a field"),
    pytest.param({"$match": {"a": {"$param": "p", "x": 1}}}, id="beside a field"),
    pytest.param({"$match": {"a": {"$param": 5}}}, id="no name"),
    pytest.param(
        {"$set": {"a": {"$regexMatch": {"input": "$a", "regex": P}}}},
        id="a pattern of an expression",
    ),
    pytest.param({"$set": {"a": {"$literal": {"b": P}}}}, id="within a literal"),
    pytest.param({"$sort": {"a": P}}, id="a direction"),
    pytest.param({"$unwind": P}, id="a path"),
    pytest.param({"$unset": P}, id="a field's name"),
    pytest.param({"$sample": {"size": P}}, id="a sample"),
    pytest.param({"$unionWith": {"coll": P}}, id="a collection"),
    pytest.param(
        {"$lookup": {"from": P, "pipeline": [], "as": "a"}}, id="a joined collection"
    ),
    pytest.param({"$facet": P}, id="facets"),
    pytest.param({"$search": {"text": {"query": P}}}, id="a search"),
]


@pytest.mark.parametrize("stage", MISPLACED)
def test_a_parameter_elsewhere_is_refused(stage: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as refusal:
        read_declared(declare(stage))

    assert refusal.value.rule == "mongodb/parameter"


BAD = [
    pytest.param("", "mongodb/statement", id="nothing"),
    pytest.param("[]", "mongodb/statement", id="a list"),
    pytest.param('{"aggregate": "orders"}', "mongodb/statement", id="no pipeline"),
    pytest.param(
        declare(explain=True), "mongodb/statement", id="an option of the command"
    ),
    pytest.param(
        '{"aggregate": "a", "aggregate": "orders", "pipeline": []}',
        "mongodb/statement",
        id="a key twice",
    ),
    pytest.param(
        '{"aggregate": "orders", "pipeline": [{"$limit": NaN}]}',
        "mongodb/statement",
        id="a number that is no JSON",
    ),
    pytest.param(
        f'{{"aggregate": "orders", "pipeline": {"[" * 400}{"]" * 400}}}',
        "mongodb/depth",
        id="very deep",
    ),
    pytest.param(
        f'{{"aggregate": "orders", "pipeline": {"[" * 4000}{"]" * 4000}}}',
        "mongodb/statement",
        id="too deep to be read",
    ),
    pytest.param(declare({"$out": "copy"}), "read-only/stage", id="it writes"),
    pytest.param(
        declare({"$match": {"$where": "1"}}),
        "read-only/operator",
        id="it runs a script",
    ),
    pytest.param(
        declare({"$set": {"a": "$$USER_ROLES"}}), "read-only/variable", id="a variable"
    ),
    pytest.param(
        declare(aggregate="secrets"), "read-only/collection", id="another collection"
    ),
    pytest.param(
        declare({"$unionWith": "secrets"}),
        "read-only/collection",
        id="a join with another collection",
    ),
]


@pytest.mark.parametrize(("text", "rule"), BAD)
def test_a_statement_that_may_do_more_is_refused(text: str, rule: str) -> None:
    with pytest.raises(Rejected) as refusal:
        read_declared(text, ("orders", "customers"))

    assert refusal.value.rule == rule


def test_the_names_of_parameters_are_found_wherever_they_stand() -> None:
    stages = [
        {"$match": {"a": {"$param": "one"}}},
        {"$facet": {"x": [{"$set": {"b": {"$param": "two"}}}]}},
    ]

    assert read_declared(declare(*stages)).parameters == {"one", "two"}
