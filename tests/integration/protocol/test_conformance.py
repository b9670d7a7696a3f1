"""The official conformance suite against three replicas, fixtures mounted."""

from pathlib import Path

import pytest

from tests.support.node.clients import NodeClients

from .conftest import RunHub, RunProgram

EXPECTED = Path(__file__).with_name("stateless-2025-11-25.yaml")


@pytest.mark.parametrize(
    ("revision", "stateful", "options"),
    [
        pytest.param("2025-11-25", True, [], id="2025-11-25 with sessions"),
        pytest.param("2026-07-28", True, [], id="2026-07-28 beside sessions"),
        pytest.param("2026-07-28", False, [], id="2026-07-28 without sessions"),
        pytest.param(
            "2025-11-25",
            False,
            ["--expected-failures", str(EXPECTED)],
            id="2025-11-25 without sessions, but for questions to the client",
        ),
    ],
)
async def test_the_hub_conforms(
    revision: str,
    stateful: bool,  # noqa: FBT001 -- a column of the table
    options: list[str],
    run_hub: RunHub,
    node_clients: NodeClients,
    run_program: RunProgram,
) -> None:
    no_auth = {"auth": {"type": "None"}}
    async with run_hub(no_auth, stateful=stateful, mounted="fixtures") as hub:
        done = await run_program(
            [
                *node_clients.conformance,
                *("server", "--url", f"{hub.url}/mcp"),
                *("--requirements", revision, *options),
            ]
        )

    assert done.code == 0, str(done)
