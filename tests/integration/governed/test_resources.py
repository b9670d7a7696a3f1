"""Schemas as resources: for those who may read them with a tool, and for no other."""

import json
from typing import Any

import pytest
from fastmcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import PaginatedRequestParams, ResourceTemplateReference
from structlog.testing import capture_logs

from tests.support.hub import hub_in_loop
from tests.support.postgres import DATABASE, PostgresServer

from .conftest import TOKENS, OpenHub, wait_for_status
from .test_declared_tools import tool

RULES = {
    "rules": [
        {"clients": ["acme"], "tools": ["db_*"]},
        {"clients": ["globex"], "tools": ["made", "db_list_tables"]},
    ]
}
LIVE = {"tools": [tool()], "access": RULES}
ORDERS = "mcphub://db/sales/orders"
TEMPLATE = "mcphub://db/{schema}/{table}"


async def complete(
    client: Client[Any], argument: str, value: str, **others: str
) -> list[str]:
    answer = await client.session.complete(
        ResourceTemplateReference(uri=TEMPLATE),
        {"name": argument, "value": value},
        others or None,
    )
    return list(answer.completion.values)


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_a_schema_is_listed_and_read(open_hub: OpenHub, transport: str) -> None:
    async with (
        open_hub(live=LIVE) as hub,
        hub.client(transport, TOKENS["acme"]) as client,
    ):
        listed = {str(each.uri): each for each in await client.list_resources()}
        templates = await client.list_resource_templates()
        (content,) = await client.read_resource(ORDERS)
        described = await client.call_tool(
            "db_describe_table", {"table": "sales.orders"}
        )

    assert listed[ORDERS].name == "db.sales.orders"
    assert listed[ORDERS].mime_type == "application/json"
    assert [each.uri_template for each in templates] == [TEMPLATE]
    assert json.loads(content.text) == described.structured_content


async def test_names_are_completed(open_hub: OpenHub) -> None:
    async with open_hub(live=LIVE) as hub, hub.client(token=TOKENS["acme"]) as client:
        schemas = await complete(client, "schema", "sa")
        tables = await complete(client, "table", "or", schema="sales")
        elsewhere = await complete(client, "table", "or", schema="public")
        anywhere = await complete(client, "table", "cust")
        unknown = await complete(client, "column", "a")
        hostile = await complete(client, "table", "a\0'\\")

    assert schemas == ["sales"]
    assert tables == ["orders"]
    assert elsewhere == []
    assert anywhere == ["customers"]
    assert unknown == []
    assert hostile == []


@pytest.mark.parametrize("client_name", ["globex", "eve"])
async def test_who_may_call_no_tool_that_shows_schemas_sees_none(
    open_hub: OpenHub, client_name: str
) -> None:
    async with (
        open_hub(live=LIVE) as hub,
        hub.client(token=TOKENS[client_name]) as client,
    ):
        assert await client.list_resources() == []
        assert await client.list_resource_templates() == []
        assert await complete(client, "table", "") == []
        with pytest.raises(MCPError) as hidden:
            await client.read_resource_mcp(ORDERS)
        with pytest.raises(MCPError) as absent:
            await client.read_resource_mcp("mcphub://nothing/sales/orders")

    assert hidden.value.error.code == absent.value.error.code
    assert hidden.value.error.message == absent.value.error.message.replace(
        "nothing", "db"
    )


async def test_a_hub_with_declared_tools_alone_shows_no_schema(
    open_hub: OpenHub,
) -> None:
    entry = {"builtInTools": {"mode": "None"}}
    async with (
        open_hub(live={"tools": [tool()]}, entry=entry) as hub,
        hub.client(token=TOKENS["acme"]) as client,
    ):
        assert await client.list_resources() == []
        with pytest.raises(MCPError, match="Resource not found"):
            await client.read_resource_mcp(ORDERS)


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("mcphub://db", id="no path"),
        pytest.param("mcphub://db/sales", id="too short a path"),
        pytest.param("mcphub://db/sales/orders/id", id="too long a path"),
        pytest.param("file:///etc/passwd", id="another scheme"),
        pytest.param("mcphub://db/sales/%ff", id="no UTF-8"),
        pytest.param("mcphub://db/sales/a%00b", id="a NUL"),
        pytest.param("mcphub://db/sales/orders%22%3B", id="quotes"),
        pytest.param("mcphub://db/pg_catalog/pg_authid", id="the catalog"),
        pytest.param("mcphub://db/public/private_notes", id="what may not be read"),
        pytest.param("mcphub://db/" + "a" * 2000 + "/b", id="too long a name"),
    ],
)
async def test_another_uri_is_refused_in_words(open_hub: OpenHub, uri: str) -> None:
    async with open_hub() as hub, hub.client(token=TOKENS["acme"]) as client:
        with pytest.raises(MCPError) as refused:
            await client.read_resource_mcp(uri)

    assert refused.value.error.code == -32602, refused.value.error.message


async def test_lists_go_on_to_the_last_of_many(
    shop: PostgresServer, open_hub: OpenHub
) -> None:
    shop.run_sql("CREATE DATABASE many")
    try:
        shop.run_sql(
            "SELECT format('CREATE TABLE t_%s (id int)', n)"
            " FROM generate_series(1, 250) n \\gexec\n"
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC;",
            "many",
        )
        async with (
            open_hub(backend={"database": "many"}) as hub,
            hub.client(token=TOKENS["acme"]) as client,
        ):
            first = await client.list_resources_mcp()
            everything = await client.list_resources()
            with pytest.raises(MCPError, match="cursor"):
                await client.session.list_resources(
                    params=PaginatedRequestParams(cursor="forged")
                )
    finally:
        shop.run_sql("DROP DATABASE many WITH (FORCE)")

    assert len(first.resources) == 100
    assert first.next_cursor
    assert len({str(each.uri) for each in everything}) == 250


async def test_a_schema_keeps_within_its_budget(
    shop: PostgresServer, open_hub: OpenHub
) -> None:
    columns = ", ".join(f"column_number_{n} int" for n in range(1500))
    shop.run_sql(f"CREATE TABLE public.wide ({columns})", DATABASE)
    try:
        shop.run_sql("GRANT SELECT ON public.wide TO PUBLIC", DATABASE)
        async with open_hub() as hub, hub.client(token=TOKENS["acme"]) as client:
            (content,) = await client.read_resource("mcphub://db/public/wide")
    finally:
        shop.run_sql("DROP TABLE public.wide", DATABASE)

    described = json.loads(content.text)
    assert len(content.text) <= 32_768
    assert described["truncated"] is True
    assert 100 < len(described["columns"]) < 1500


async def test_a_read_leaves_an_audit_line_without_names(open_hub: OpenHub) -> None:
    async with open_hub() as hub, hub.client(token=TOKENS["acme"]) as client:
        with capture_logs() as logs:
            await client.read_resource(ORDERS)

    (line,) = [each for each in logs if each["event"] == "resource read"]
    assert (line["client"], line["backend"], line["outcome"]) == ("acme", "db", "ok")
    assert "orders" not in str(line)


async def test_a_database_that_is_down_takes_no_other_with_it(
    build_files: Any,
) -> None:
    files = build_files()
    entry = files.config["backends"][0]
    gone = {**entry, "name": "gone", "postgres": {**entry["postgres"], "port": 1}}
    files.config["backends"].insert(0, gone)
    files.secrets["gone"] = files.secrets["db"]
    async with hub_in_loop(files) as hub, hub.client(token=TOKENS["acme"]) as client:
        await wait_for_status(
            hub, lambda it: all(b["state"] != "Unknown" for b in it["backends"])
        )
        listed = [str(each.uri) for each in await client.list_resources()]
        with pytest.raises(MCPError, match="gone is unavailable"):
            await client.read_resource_mcp("mcphub://gone/sales/orders")

    assert ORDERS in listed
