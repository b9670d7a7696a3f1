"""The official conformance suite against the hub's own stack, fixtures mounted."""

from pathlib import Path

import pytest

from support.conformance.fixtures import add_fixtures
from support.hub import hub_in_loop
from support.node.clients import NodeClients

from .conftest import MakeHub, RunProgram

EXPECTED = Path(__file__).with_name("stateless-2025-11-25.yaml")

# the suite's fixtures use what the newest revision deprecates
pytestmark = pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning")


@pytest.mark.parametrize(
    ("revision", "sessions", "options"),
    [
        pytest.param("2025-11-25", "Stateful", [], id="2025-11-25 with sessions"),
        pytest.param("2026-07-28", "Stateful", [], id="2026-07-28 beside sessions"),
        pytest.param("2026-07-28", "Stateless", [], id="2026-07-28 without sessions"),
        pytest.param(
            "2025-11-25",
            "Stateless",
            ["--expected-failures", str(EXPECTED)],
            id="2025-11-25 without sessions, but for questions to the client",
        ),
    ],
)
async def test_the_hub_conforms(
    revision: str,
    sessions: str,
    options: list[str],
    hub_files: MakeHub,
    node_clients: NodeClients,
    run_program: RunProgram,
) -> None:
    files = hub_files(
        auth={"type": "None"}, transports={"streamableHTTP": {"sessions": sessions}}
    )
    async with hub_in_loop(files) as hub:
        add_fixtures(hub.hub.mcp)

        done = await run_program(
            [
                *node_clients.conformance,
                *("server", "--url", f"{hub.url}/mcp"),
                *("--requirements", revision, *options),
            ]
        )

    assert done.code == 0, str(done)
