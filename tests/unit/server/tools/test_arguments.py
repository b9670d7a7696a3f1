"""Arguments as clients send them, and the schemas that the tools publish."""

from pathlib import Path
from typing import Any

import pytest

from mcphub_server.config.backends import (
    BackendConfig,
    EmbeddingConfig,
    KubernetesConfig,
    MongodbConfig,
    Neo4jConfig,
    PostgresConfig,
    QdrantConfig,
)
from mcphub_server.config.hub import LimitsConfig
from mcphub_server.errors import BadArgument
from mcphub_server.results.cursors import CursorSigner
from mcphub_server.tools.arguments import read_arguments, read_object, simplify_schema
from mcphub_server.tools.building import ERROR_META
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.registry import register
from tests.support.effort import at_most

MODEL = EmbeddingConfig(url="http://e", model="m")
BACKENDS = (
    BackendConfig(name="sql", postgres=PostgresConfig(host="h", database="d")),
    BackendConfig(
        name="sick", postgres=PostgresConfig(host="h", database="d", diagnosis=True)
    ),
    BackendConfig(name="graph", neo4j=Neo4jConfig(uri="bolt://h")),
    BackendConfig(name="vectors", qdrant=QdrantConfig(url="http://h")),
    BackendConfig(name="texts", qdrant=QdrantConfig(url="http://h", embedding=MODEL)),
    BackendConfig(name="docs", mongodb=MongodbConfig(uri="mongodb://h", database="d")),
    BackendConfig(name="cluster", kubernetes=KubernetesConfig(logs=True, nodes=True)),
)


async def run_nothing(_backend: Any, _call: Any) -> Any:
    raise AssertionError("no backend is asked")


def build_tools() -> dict[str, Any]:
    context = ToolContext(
        LimitsConfig(),
        CursorSigner(b"k" * 32),
        run_nothing,
        lambda: "alice",
        lambda **_facts: None,
    )
    registered = [register(each, Path("nowhere")) for each in BACKENDS]
    return {
        tool.name: tool for each in registered for tool in each.build_tools(context)
    }


TOOLS = build_tools()

SCHEMA = {
    "type": "object",
    "properties": {
        "sql": {"type": "string"},
        "limit": {"type": "integer", "minimum": 1},
        "offset": {"type": "integer"},
        "values": {"type": "array", "items": {"type": "string"}},
        "filter": {"type": "object"},
        "cursor": {"type": "string"},
        "flag": {"type": "boolean"},
    },
    "required": ["sql"],
}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" + "[]," * 1_300_000 + "1]", id="a million lists"),
        pytest.param("[" + "[]," * 3_000 + "1]", id="many lists"),
        pytest.param("[" + "1.5," * 40_000 + "1]", id="many numbers"),
        pytest.param(" " * 200_000 + "[1]", id="much before it"),
    ],
)
def test_a_list_as_text_is_read_up_to_a_size(text: str) -> None:
    with at_most(units=2), pytest.raises(BadArgument, match="as JSON itself"):
        read_arguments(SCHEMA, {"sql": "", "values": text})


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([1] * 70_001, id="a long list"),
        pytest.param([[[1] * 300] * 300], id="lists in lists"),
        pytest.param([{"a": [[]] * 80_000}], id="lists in objects"),
    ],
)
def test_an_argument_has_so_many_values(values: list[Any]) -> None:
    with at_most(units=4), pytest.raises(BadArgument, match="more than 70000 values"):
        read_arguments(SCHEMA, {"sql": "", "values": values})


@pytest.mark.parametrize(
    ("given", "read"),
    [
        pytest.param({"limit": 0}, {}, id="a zero that no limit can be"),
        pytest.param({"offset": 0}, {"offset": 0}, id="a zero that counts"),
        pytest.param({"limit": False}, {"limit": False}, id="a boolean is no zero"),
        pytest.param({"limit": ""}, {}, id="an empty text for a number"),
        pytest.param({"cursor": ""}, {}, id="an empty text"),
        pytest.param({"cursor": None}, {}, id="null"),
        pytest.param({"values": ""}, {}, id="an empty text for a list"),
        pytest.param({"values": []}, {}, id="an empty list"),
        pytest.param({"filter": {}}, {}, id="an empty object"),
        pytest.param({"values": False}, {}, id="false for a list"),
        pytest.param({"values": 0}, {}, id="zero for a list"),
        pytest.param({"values": "false"}, {}, id="false as text for a list"),
        pytest.param({"values": " 0 "}, {}, id="zero as text for a list"),
        pytest.param({"filter": False}, {}, id="false for an object"),
        pytest.param({"filter": 0}, {}, id="zero for an object"),
        pytest.param({"filter": "False"}, {}, id="Python's false for an object"),
        pytest.param({"filter": True}, {"filter": True}, id="true is no blank"),
        pytest.param({"values": [0]}, {"values": [0]}, id="a zero in a list counts"),
        pytest.param({"cursor": 0}, {"cursor": 0}, id="a zero for a text stays"),
        pytest.param({"flag": ""}, {}, id="an empty text for a flag"),
        pytest.param({"flag": False}, {"flag": False}, id="a flag"),
        pytest.param({"sql": ""}, {"sql": ""}, id="what is required stays"),
        pytest.param({"values": "[1, 2]"}, {"values": [1, 2]}, id="a list as text"),
        pytest.param({"filter": ' {"a": 1}'}, {"filter": {"a": 1}}, id="an object"),
        pytest.param({"values": "[1,"}, {"values": "[1,"}, id="what is no JSON stays"),
        pytest.param({"limit": "0"}, {}, id="a zero as text"),
        pytest.param({"limit": 0.0}, {}, id="a zero with a point"),
        pytest.param({"offset": "0"}, {"offset": "0"}, id="a zero as text that counts"),
        pytest.param({"values": "[]"}, {}, id="an empty list as text"),
        pytest.param({"filter": "{}"}, {}, id="an empty object as text"),
        pytest.param({"values": "{}"}, {}, id="an empty object for a list"),
        pytest.param({"values": "null"}, {}, id="null as text for a list"),
        pytest.param({"limit": " null "}, {}, id="null as text for a number"),
        pytest.param({"flag": "null"}, {}, id="null as text for a flag"),
        pytest.param({"cursor": "null"}, {}, id="null as text for a cursor"),
        pytest.param({"cursor": "[1]"}, {"cursor": "[1]"}, id="a text stays a text"),
    ],
)
def test_a12_options_are_read_as_they_are_meant(given, read):
    assert read_arguments(SCHEMA, given) == read


LISTS = {
    "properties": {
        "vector": {"type": "array", "items": {"type": "number"}},
        "ids": {"type": "array", "items": {"type": "integer"}},
        "names": {"type": "array", "items": {"type": "string"}},
        "stages": {"type": "array", "items": {"type": "object"}},
        "limit": {"type": "integer", "minimum": 1},
        "cursor": {"type": "string"},
        "schema": {"type": "string"},
    }
}


@pytest.mark.parametrize(
    ("given", "read"),
    [
        pytest.param({"vector": "0.1, -2e3 ,4"}, {"vector": [0.1, -2000, 4]}),
        pytest.param({"ids": "1,2"}, {"ids": [1, 2]}),
        pytest.param({"ids": "7"}, {"ids": [7]}),
        pytest.param({"ids": "1,,2"}, {"ids": "1,,2"}),
        pytest.param({"ids": "1, x"}, {"ids": "1, x"}),
        pytest.param({"names": "a,b"}, {"names": "a,b"}),
        pytest.param({"stages": {"$count": "n"}}, {"stages": [{"$count": "n"}]}),
        pytest.param({"stages": '{"$count": "n"}'}, {"stages": [{"$count": "n"}]}),
        pytest.param({"stages": {}}, {}),
        pytest.param({"stages": "undefined"}, {}),
        pytest.param({"limit": "None"}, {}),
        pytest.param({"cursor": "undefined"}, {}),
        pytest.param({"cursor": "null"}, {}),
        pytest.param({"schema": "null"}, {"schema": "null"}),
    ],
    ids=str,
)
def test_lists_and_gaps_are_read_as_clients_write_them(
    given: dict[str, Any], read: dict[str, Any]
) -> None:
    assert read_arguments(LISTS, given) == read


@pytest.mark.parametrize("stage", [{"$limit": 1}, '{"$limit": 1}', ' {"$limit": 1} '])
def test_an_object_may_come_as_its_text(stage: object) -> None:
    assert read_object("A stage", stage) == {"$limit": 1}


@pytest.mark.parametrize("stage", ["$limit", "[1]", 1, None, "{", "{" * 3_000])
def test_what_is_no_object_is_refused(stage: object) -> None:
    with pytest.raises(BadArgument, match=r"A stage|A list or an object"):
        read_object("A stage", stage)


def test_f3_unknown_names_are_refused_before_anything_else():
    names = {f"{'x' * 1_000}{n}": 1 for n in range(100_000)}

    with pytest.raises(BadArgument) as refusal:
        read_arguments(SCHEMA, names)

    assert "99997 more" in str(refusal.value)
    assert "sql, limit" in str(refusal.value)
    assert len(str(refusal.value)) < 400


async def test_a_tool_answers_an_unknown_name_with_an_error_result():
    result = await TOOLS["sql_query"].run({"sql": "SELECT 1", "query": "x"})

    assert result.is_error
    assert result.meta[ERROR_META]["kind"] == "bad_argument"
    assert "There is no argument query" in result.content[0].text


@pytest.mark.parametrize("name", TOOLS)
def test_what_a_model_reads_says_what_each_argument_is(name):
    for schema in TOOLS[name].parameters["properties"].values():
        assert schema["description"]


def test_a_schema_keeps_what_all_clients_take():
    schema = {
        "properties": {
            "a": {
                "anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}],
                "default": None,
                "title": "A",
                "description": "x",
            },
            "b": {"type": "boolean", "default": True},
        },
        "additionalProperties": False,
    }

    assert simplify_schema(schema) == {
        "properties": {
            "a": {"type": "integer", "minimum": 1, "description": "x"},
            "b": {"type": "boolean"},
        },
    }
