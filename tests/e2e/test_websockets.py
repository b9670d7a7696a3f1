"""WebSockets through a node port, and through nginx while the pods are replaced.

The file of nginx is that of examples/behind-proxy; nginx runs beside the cluster.
"""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from tests.support.hub_manifests import hub
from tests.support.installation import Installation
from tests.support.node.clients import install_clients
from tests.support.node.runtime import find_node
from tests.support.tls_proxy import HOST, open_websocket, running_proxy
from tests.support.websocket_client import FrameClient, bearer
from tools.project import ROOT

HUB = "sockets"
SCRIPT = ROOT / "tests" / "support" / "node" / "websocket.mjs"
STEP_SECONDS = 0.05

WAIT = "TABLE gate.passage"
GATE = """
DROP SCHEMA IF EXISTS gate CASCADE;
CREATE SCHEMA gate;
CREATE SEQUENCE gate.state;
CREATE FUNCTION gate.wait() RETURNS text LANGUAGE plpgsql AS $$
  BEGIN
    WHILE (SELECT last_value FROM gate.state) = 1 LOOP
      PERFORM pg_sleep(0.01);
    END LOOP;
    RETURN 'passed';
  END
$$;
CREATE VIEW gate.passage AS SELECT gate.wait() AS passage;
GRANT USAGE ON SCHEMA gate TO PUBLIC;
GRANT SELECT ON gate.passage, gate.state TO PUBLIC;
"""
"""`WAIT` lasts until the sequence moves, which every transaction sees at once."""
OPEN = "SELECT setval('gate.state', 2)"


@pytest.fixture(scope="module")
def team(installation: Installation) -> Installation:
    """A namespace with a hub whose WebSockets every node serves."""
    team = installation.open_namespace("sockets")
    team.apply(
        hub(
            HUB,
            transports={"webSocket": {"enabled": True}},
            service={"type": "NodePort"},
            allowedHosts=[HOST],
            limits={"statementTimeoutSeconds": 38},
        )
    )
    team.wait_settled(HUB)
    team.wait(f"mcphub/{HUB}", "condition=BackendsReachable")
    return team


def find_url(team: Installation) -> str:
    url: str = team.get("mcphub", HUB)["status"]["endpoints"]["webSocket"]
    return url


def test_a_client_of_npm_calls_a_tool_through_a_node_port(team: Installation):
    modules = install_clients().modules
    words = [SCRIPT, modules, find_url(team), team.token(HUB), "health_check"]

    ended = subprocess.run(
        [find_node().node, *words], capture_output=True, text=True, check=True
    )

    seen = json.loads(ended.stdout)
    assert seen["protocol"] == "mcp"
    assert "postgres_query" in seen["tools"]
    assert not seen["failed"]


async def open_session(connection: ClientConnection) -> FrameClient:
    client = FrameClient(connection)
    await client.open()
    return client


async def call_until_draining(client: FrameClient) -> tuple[Any, Any]:
    """Keep one call in progress until the replica begins no more.

    Returns the call that it began last, and what it says of the one that it did not.
    """
    begun = await client.call("postgres_query", sql=WAIT)
    while True:
        probe = await client.call("list_services")
        while (answer := await client.read()).get("id") != probe:
            if answer.get("id") == begun:  # it ran past the hub's time limit
                begun = await client.call("postgres_query", sql=WAIT)
        if "error" in answer:
            return begun, answer
        await asyncio.sleep(STEP_SECONDS)


async def test_a_rollout_finishes_calls_and_the_client_connects_again_through_nginx(
    team: Installation, tmp_path: Path
):
    team.psql(GATE)
    before = team.pod_names(HUB)
    nodes = find_url(team).removeprefix("ws://").removesuffix("/mcp")
    headers = bearer(team.token(HUB))

    with running_proxy("nginx", tmp_path, nodes) as proxy:
        async with open_websocket(proxy.port, headers) as connection:
            client = await open_session(connection)
            team.kubectl("annotate", "mcphub", HUB, "mcp.bigtorig.com/restart=now")
            begun, declined = await call_until_draining(client)
            await asyncio.to_thread(team.psql, OPEN)
            ended = await client.read_to_end()
        async with open_websocket(proxy.port, headers) as again:
            client = await open_session(again)
            answer = await client.ask("tools/call", {"name": "list_services"})

    assert "did not begin" in declined["error"]["message"]
    assert [each["id"] for each in ended] == [begun]
    assert "result" in ended[0]
    assert connection.close_code == 1012
    assert not answer["result"].get("isError")
    assert not team.pod_names(HUB) & before
