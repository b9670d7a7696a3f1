"""Declared prompts by the real client: listed, filled, completed, live."""

from contextlib import suppress
from logging import WARNING
from typing import Any

import pytest
import yaml
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, PromptReference
from structlog.testing import capture_logs

from tests.support.hub import hub_in_loop

from .conftest import TOKENS, OpenHub
from .test_access import WAYS, build_transports
from .test_declared_tools import tool

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


MISTAKES = [
    ("explain_table", {}, "explain_table needs the argument table."),
    ("greet", {"a": "b"}, "greet has no argument a. There are: none."),
    ("explain_table", {"table": "t" * 8_193}, "table has at most 8,192 characters."),
    ("nothing", {}, "Unknown prompt: 'nothing'"),
]


@pytest.mark.parametrize(("transport", "mode", "sessions"), WAYS)
async def test_a_mistake_is_the_clients_and_told_in_a_sentence(
    open_hub: OpenHub,
    caplog: pytest.LogCaptureFixture,
    transport: str,
    mode: Any,
    sessions: str,
) -> None:
    told = []
    async with open_hub(live=LIVE, transports=build_transports(sessions)) as hub:
        with capture_logs() as logs:
            async with hub.client(transport, TOKENS["acme"], mode=mode) as client:
                for name, arguments, _ in MISTAKES:
                    with pytest.raises(MCPError) as raised:
                        await client.get_prompt_mcp(name, arguments)
                    told.append((raised.value.error.code, raised.value.error.message))

    failures = [line for line in logs if line["log_level"] not in ("debug", "info")]
    assert told == [(INVALID_PARAMS, sentence) for _, _, sentence in MISTAKES]
    assert failures == []
    assert "Traceback" not in caplog.text
    assert [each for each in caplog.records if each.levelno >= WARNING] == []


async def test_each_use_leaves_an_audit_line_without_values(open_hub: OpenHub) -> None:
    uses = [
        ("acme", "explain_table", {"table": "canary.of.a.value"}),
        ("acme", "explain_table", {"canary": "canary.of.a.value"}),
        ("acme", "greet", {}),
        ("acme", "nothing", {}),
        ("eve", "explain_table", {"table": "canary.of.a.value"}),
    ]
    async with open_hub(live=LIVE) as hub:
        with capture_logs() as logs:
            for who, name, arguments in uses:
                async with hub.client(token=TOKENS[who]) as client:
                    with suppress(MCPError):
                        await client.get_prompt_mcp(name, arguments)

    lines = [line for line in logs if line["event"] == "prompt get"]
    seen = [
        (line["client"], line["prompt"], line["backend"], line["outcome"])
        for line in lines
    ]
    assert seen == [
        ("acme", "explain_table", "db", "ok"),
        ("acme", "explain_table", "db", "bad_argument"),
        ("acme", "greet", "", "ok"),
        ("acme", "nothing", "", "unknown_prompt"),
        ("eve", "explain_table", "db", "forbidden"),
    ]
    assert [line["bytes"] > 0 for line in lines] == [True, False, True, False, False]
    assert "canary" not in str(lines)


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
