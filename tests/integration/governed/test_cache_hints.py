"""How long answers may be kept, and whether caches may share them."""

from typing import Any

import yaml
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from tests.support.hub import LoopHub, hub_in_loop

from .conftest import TOKENS

MODERN = "2026-07-28"
LISTS = (
    "tools/list",
    "prompts/list",
    "resources/templates/list",
    "server/discover",
)
FROM_THE_DATABASE = ("resources/list", "resources/read")
NONE = {"auth": {"type": "None"}}


async def read_hints(hub: LoopHub, token: str | None) -> dict[str, tuple[int, str]]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = StreamableHttpTransport(f"{hub.url}/mcp", headers=headers)
    async with Client(transport, mode=MODERN) as client:
        uri = "mcphub://db/sales/orders"
        answers: dict[str, Any] = {
            "tools/list": await client.list_tools_mcp(),
            "prompts/list": await client.list_prompts_mcp(),
            "resources/templates/list": await client.list_resource_templates_mcp(),
            "resources/list": await client.list_resources_mcp(),
            "resources/read": await client.read_resource_mcp(uri),
        }
        discovered = await client.session.send_discover(MODERN)
    hints = {name: (each.ttl_ms, each.cache_scope) for name, each in answers.items()}
    return hints | {"server/discover": (discovered["ttlMs"], discovered["cacheScope"])}


async def test_without_authentication_and_rules_lists_are_public(
    build_files: Any,
) -> None:
    async with hub_in_loop(build_files(**NONE)) as hub:
        hints = await read_hints(hub, None)

    assert {hints[name] for name in LISTS} == {(15_000, "public")}
    assert {hints[name] for name in FROM_THE_DATABASE} == {(60_000, "private")}


async def test_what_needs_a_token_is_private(build_files: Any) -> None:
    async with hub_in_loop(build_files()) as hub:
        hints = await read_hints(hub, TOKENS["acme"])

    assert {scope for _, scope in hints.values()} == {"private"}
    assert all(lifetime > 0 for lifetime, _ in hints.values())


async def test_lists_become_private_with_the_first_rule(build_files: Any) -> None:
    files = build_files(live={}, **NONE)
    async with hub_in_loop(files) as hub:
        before = await read_hints(hub, None)
        rules = {"rules": [{"tools": ["*"]}]}
        files.write_live(yaml.safe_dump({"access": rules}))
        hub.hub.live.reload()
        after = await read_hints(hub, None)

    assert before["tools/list"][1] == "public"
    assert {scope for _, scope in after.values()} == {"private"}
