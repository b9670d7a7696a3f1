"""Declared prompts by the real client: listed, filled, completed, live."""

from typing import Any

import pytest
import yaml
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference

from tests.support.hub import hub_in_loop

from .conftest import TOKENS, OpenHub
from .test_declared_tools import tool

pytestmark = pytest.mark.timeout(240)

PROMPTS = [
    {
        "name": "explain_table",
        "title": "Explain a table",
        "description": "Explains a table to a colleague.",
        "backend": "db",
        "arguments": [
            {"name": "table", "description": "Which table.", "required": True}
        ],
        "text": "Explain the table {{table}} to a colleague.",
    },
    {"name": "greet", "description": "Greets.", "text": "Say hello."},
]
LIVE = {
    "tools": [tool()],
    "prompts": PROMPTS,
    "access": {"rules": [{"clients": ["acme"], "tools": ["db_*"]}]},
}


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_a_prompt_is_listed_and_filled(open_hub: OpenHub, transport: str) -> None:
    async with (
        open_hub(live=LIVE) as hub,
        hub.client(transport, TOKENS["acme"]) as client,
    ):
        prompts = {each.name: each for each in await client.list_prompts()}
        filled = await client.get_prompt("explain_table", {"table": "sales.orders"})

    (argument,) = prompts["explain_table"].arguments or ()
    assert set(prompts) == {"explain_table", "greet"}
    assert (argument.name, argument.required) == ("table", True)
    assert filled.messages[0].role == "user"
    assert filled.messages[0].content.text == (
        "Explain the table sales.orders to a colleague."
    )


async def test_arguments_are_completed_from_the_prompts_backend(
    open_hub: OpenHub,
) -> None:
    async with open_hub(live=LIVE) as hub, hub.client(token=TOKENS["acme"]) as client:
        answers = [
            await client.session.complete(
                PromptReference(name=name), {"name": "table", "value": begun}
            )
            for name, begun in (
                ("explain_table", "ord"),
                ("explain_table", "sales.b"),
                ("greet", "ord"),
                ("nothing", "ord"),
            )
        ]

    assert [each.completion.values for each in answers] == [
        ["sales.orders"],
        ["sales.big_orders", "sales.by_day"],
        [],
        [],
    ]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        pytest.param("explain_table", {}, "needs the argument table", id="missing"),
        pytest.param("greet", {"a": "b"}, "no argument a", id="unknown"),
        pytest.param("nothing", {}, "Unknown prompt", id="no prompt"),
    ],
)
async def test_a_mistake_is_told_in_a_sentence(
    open_hub: OpenHub, name: str, arguments: dict[str, Any], said: str
) -> None:
    async with open_hub(live=LIVE) as hub, hub.client(token=TOKENS["acme"]) as client:
        with pytest.raises(MCPError, match=said):
            await client.get_prompt_mcp(name, arguments)


async def test_who_may_use_no_tool_of_its_backend_does_not_find_a_prompt(
    open_hub: OpenHub,
) -> None:
    async with open_hub(live=LIVE) as hub, hub.client(token=TOKENS["eve"]) as client:
        listed = [each.name for each in await client.list_prompts()]
        with pytest.raises(MCPError, match="Unknown prompt"):
            await client.get_prompt_mcp("explain_table", {"table": "a"})
        completed = await client.session.complete(
            PromptReference(name="explain_table"), {"name": "table", "value": ""}
        )

    assert listed == ["greet"]
    assert completed.completion.values == []


async def test_a_change_counts_without_a_restart(build_files: Any) -> None:
    files = build_files(live={"prompts": PROMPTS})
    async with hub_in_loop(files) as hub, hub.client(token=TOKENS["acme"]) as client:
        before = {each.name for each in await client.list_prompts()}
        bad = {**PROMPTS[1], "text": "{{unknown}}"}
        files.write_live(yaml.safe_dump({"prompts": [PROMPTS[0], bad]}))
        hub.hub.live.reload()
        after = {each.name for each in await client.list_prompts()}
        status = hub.hub.live.render()["prompts"]

    assert before == {"explain_table", "greet"}
    assert after == {"explain_table"}
    assert [each["state"] for each in status] == ["Ready", "Invalid"]
    assert "{{unknown}} is no argument" in status[1]["message"]
