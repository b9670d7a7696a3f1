"""The instructions of a hub name the databases that their reader may use."""

import pytest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

from tests.support.hub import LoopHub

from .conftest import TOKENS, OpenHub
from .test_declared_tools import call, tool

DESCRIPTION = "Orders of the shop."
LINE = f"- db (postgres): {DESCRIPTION}"
LIVE = {
    "tools": [tool()],
    "access": {"rules": [{"clients": ["globex"], "tools": ["made"]}]},
}


async def read_instructions(hub: LoopHub, client: str, mode: str) -> str:
    headers = {"Authorization": f"Bearer {TOKENS[client]}"}
    transport = StreamableHttpTransport(f"{hub.url}/mcp", headers=headers)
    async with Client(transport, mode=mode) as connected:
        if mode != "legacy":
            found = (await connected.session.send_discover(mode))["instructions"]
        else:
            assert connected.initialize_result is not None
            found = connected.initialize_result.instructions
    return found or ""


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_a_description_reaches_those_who_may_use_the_backend(
    open_hub: OpenHub, mode: str
) -> None:
    async with open_hub(live=LIVE, entry={"description": DESCRIPTION}) as hub:
        for_globex = await read_instructions(hub, "globex", mode)
        for_eve = await read_instructions(hub, "eve", mode)
        services = (await call(hub, "list_services", "globex")).structured_content

    assert LINE in for_globex.split("\n")
    assert "db" not in for_eve
    assert "Orders" not in for_eve
    assert services["services"]["db"]["description"] == DESCRIPTION
