"""All tools keep to what the big clients' makers publish that theirs accept."""

from typing import Any

import pytest
from fastmcp.exceptions import ValidationError

from mcphub_server.config.tools import ParameterConfig
from mcphub_server.tools.declared.arguments import Arguments
from mcphub_server.tools.hub import HubFacts, build_hub_tools
from tests.support.client_rules import (
    CLIENTS,
    LONGEST_DESCRIPTION,
    MOST_TOOLS,
    Rules,
    check_copilot,
    check_gemini,
    check_openai,
)
from tools.project import ROOT

from .test_arguments import BACKENDS, TOOLS

HUB_TOOLS = {tool.name: tool for tool in build_hub_tools(HubFacts("1", [], {}))}
ALL = {**HUB_TOOLS, **TOOLS}
LONGEST_BACKEND = "b" * 30
TOOL_FOLDERS = ROOT / "server" / "mcphub_server" / "tools"


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("check", CLIENTS.values(), ids=CLIENTS)
def test_a13_a_tool_keeps_to_a_clients_rules(check: Rules, name: str) -> None:
    assert [*check(name, ALL[name].parameters)] == []


STATEMENTS = frozenset({"sql", "cypher", "query_text"})
"""Texts that may be long; their guards and endpoints bound them."""

WORDS = [
    (name, argument)
    for name, tool in ALL.items()
    for argument, schema in tool.parameters["properties"].items()
    if schema.get("type") == "string"
    and "enum" not in schema
    and argument not in STATEMENTS
]


@pytest.mark.parametrize(("name", "argument"), WORDS)
async def test_f3_a_text_that_is_no_statement_is_short(
    name: str, argument: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        await ALL[name].run({argument: "x" * 100_000})

    said = str(caught.value)
    assert f"\n{argument}" in said  # the member of a union may follow
    assert "String should have at most 1024 characters" in said


ADDED_BY_SDKS = ("additionalProperties", "default", "minLength", "maxLength")
"""What a hub's author asked for; OpenAI's SDKs take these out for strict mode."""

DECLARED: list[dict[str, Any]] = [
    {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^a"},
    {"type": "string", "enum": ["a", "b"]},
    {"type": "integer", "enum": ["1", "2"]},
    {"type": "integer", "minimum": 1, "maximum": 9, "default": "5"},
    {"type": "number", "minimum": 0},
    {"type": "boolean", "default": "true"},
    {"type": "date"},
    {"type": "timestamp"},
    {"type": "array", "items": {"type": "date"}, "minItems": 1, "maxItems": 3},
    {"type": "array", "items": {"type": "integer", "enum": ["1"]}},
]


@pytest.mark.parametrize("check", CLIENTS.values(), ids=CLIENTS)
def test_a_declared_tool_keeps_to_a_clients_rules(check: Rules) -> None:
    parameters = [
        ParameterConfig.model_validate({"name": f"p{number}", **each})
        for number, each in enumerate(DECLARED)
    ]
    schema = Arguments("t", parameters).build_schema()

    found = [*check("t", schema)]

    assert [each for each in found if not any(w in each for w in ADDED_BY_SDKS)] == []


def test_what_a_client_refuses_stands_in_words() -> None:
    parameters = [
        ParameterConfig.model_validate({"name": "day", "type": "date"}),
        ParameterConfig.model_validate(
            {
                "name": "n",
                "type": "integer",
                "enum": ["1", "2"],
                "description": "Which.",
            }
        ),
    ]

    properties = Arguments("t", parameters).build_schema()["properties"]

    assert properties["day"]["description"] == "A date such as 2026-01-31."
    assert properties["n"] == {"type": "integer", "description": "Which. One of 1, 2."}


def test_all_kinds_of_backend_have_tools_here() -> None:
    kinds = {
        path.name for path in TOOL_FOLDERS.iterdir() if (path / "toolset.py").exists()
    }

    assert {backend.kind for backend in BACKENDS} == kinds


def test_a_request_has_room_for_all_tools() -> None:
    assert len(ALL) <= MOST_TOOLS
    assert max(len(tool.description or "") for tool in ALL.values()) <= (
        LONGEST_DESCRIPTION
    )


@pytest.mark.parametrize("name", TOOLS)
def test_the_longest_backends_tools_have_a_name_that_clients_take(name: str) -> None:
    suffix = name.partition("_")[2]
    longest = f"{LONGEST_BACKEND}_{suffix}"

    assert [*check_gemini(longest, ALL[name].parameters)] == []


@pytest.mark.parametrize(
    ("check", "schema", "said"),
    [
        pytest.param(check_gemini, {"type": "object"}, "non-empty", id="a free object"),
        pytest.param(check_gemini, {"type": "string", "const": 1}, "const", id="const"),
        pytest.param(
            check_openai, {"type": "string", "default": ""}, "default", id="d"
        ),
        pytest.param(
            check_openai, {"type": "string", "minLength": 1}, "minL", id="len"
        ),
        pytest.param(
            check_copilot, {"type": "array"}, "items", id="a list of anything"
        ),
        pytest.param(check_copilot, {"type": ["string", "null"]}, "single", id="null"),
        pytest.param(check_copilot, {"items": {}}, "no single type", id="no type"),
    ],
)
def test_the_rules_see_what_is_refused(
    check: Rules, schema: dict[str, Any], said: str
) -> None:
    found = [*check("a", {"type": "object", "properties": {"p": schema}})]

    assert any(said in each for each in found)
