"""The tutorial's database and hub show each client what the page's table says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from fastmcp import Client

from mcphub_operator.resources.config_map import build_config, build_live_text
from mcphub_operator.spec.hub import Hub, parse_hub
from tests.support.hub import HubFiles, LoopHub, hub_in_loop
from tests.support.postgres import PostgresServer, running_postgres
from tools.project import EXAMPLES, ROOT

PAGE = ROOT / "docs" / "governed.md"
SQL = EXAMPLES / "trial" / "governed.sql"
HUB = EXAMPLES / "governed.yaml"
SQL_BLOCK = r"\n```sql\n(.*?)```\n"
CLIENTS = ("acme", "globex", "auditor")
ALWAYS = {"health_check", "list_services"}
MINE = {"open_tickets", "desk_list_tables"}
PRIORITIES = {"priorities": ["low", "normal", "high"]}


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        server.run_sql(SQL.read_text(), "shop")
        yield server


def read_hub() -> Hub:
    """The example's hub, with its defaults as the API server sets them."""
    documents = yaml.safe_load_all(HUB.read_text())
    (hub,) = (each for each in documents if each["kind"] == "McpHub")
    hub["metadata"]["namespace"] = "default"
    return parse_hub(hub)


def read_login() -> dict[str, str]:
    documents = yaml.safe_load_all(HUB.read_text())
    (secret,) = (each for each in documents if each["kind"] == "Secret")
    login: dict[str, str] = secret["stringData"]
    return login


def build_files(database: PostgresServer, folder: Path) -> HubFiles:
    """What the operator would project into the hub's pods."""
    hub = read_hub()
    config = build_config(hub)
    (backend,) = config["backends"]
    backend["postgres"] |= {
        "host": database.host,
        "port": database.port,
        "database": "shop",
    }
    live = yaml.safe_load(build_live_text(hub))
    tokens = {name: f"the-token-of-{name}-for-tests" for name in CLIENTS}
    return HubFiles(folder, config, {"desk": read_login()}, tokens, live)


async def wait_until_ready(hub: LoopHub) -> dict[str, Any]:
    async with httpx.AsyncClient(timeout=60) as http:
        etag = ""
        while True:
            headers = {"If-None-Match": etag, "Prefer": "wait=30"} if etag else {}
            answer = await http.get(f"{hub.management}/status", headers=headers)
            etag = answer.headers["etag"]
            if answer.status_code != httpx.codes.OK:
                continue
            status: dict[str, Any] = answer.json()
            states = [each["state"] for each in status["tools"]]
            if (
                "Unchecked" not in states
                and status["backends"][0]["state"] != "Unknown"
            ):
                return status


async def look(
    client: Client[Any],
) -> tuple[set[str], list[int], dict[str, int] | None]:
    """Return a client's tools, the ids of its tickets, and the tickets per tenant."""
    names = {each.name for each in await client.list_tools()} - ALWAYS
    tickets = await client.call_tool("open_tickets", PRIORITIES)
    ids = sorted(row[0] for row in tickets.structured_content["rows"])
    if "tickets_per_tenant" not in names:
        return names, ids, None
    counted = await client.call_tool("tickets_per_tenant", {})
    return names, ids, dict(counted.structured_content["rows"])


async def test_each_client_sees_what_the_page_says(
    database: PostgresServer, tmp_path: Path
) -> None:
    files = build_files(database, tmp_path)
    seen = {}
    async with hub_in_loop(files) as hub:
        status = await wait_until_ready(hub)
        for name, token in files.tokens.items():
            async with hub.client(token=token) as client:
                seen[name] = await look(client)

    assert [each["state"] for each in status["tools"]] == ["Ready", "Ready"]
    assert status["backends"][0]["state"] == "Connected"
    assert seen == {
        "acme": (MINE, [1], None),
        "globex": (MINE, [2], None),
        "auditor": (
            MINE | {"tickets_per_tenant"},
            [1, 2],
            {"acme": 2, "globex": 1},
        ),
    }


async def test_a_changed_rule_shows_the_tool_and_still_only_own_rows(
    database: PostgresServer, tmp_path: Path
) -> None:
    (patch,) = re.findall(r"-p '(\{\"spec\":.*?\})'\n", PAGE.read_text(), re.DOTALL)
    files = build_files(database, tmp_path)
    live = dict(files.live or {}) | {"access": yaml.safe_load(patch)["spec"]["access"]}
    async with hub_in_loop(files) as hub:
        await wait_until_ready(hub)
        files.write_live(yaml.safe_dump(live))
        hub.hub.live.reload()
        async with hub.client(token=files.tokens["globex"]) as client:
            _, ids, counted = await look(client)

    assert ids == [2]
    assert counted == {"globex": 1}


def test_the_page_quotes_the_schema() -> None:
    (block,) = re.findall(SQL_BLOCK, PAGE.read_text(), re.DOTALL)

    assert [line for line in block.splitlines() if line not in SQL.read_text()] == []
