"""The tools, by the real client, over both transports, on a real PostgreSQL."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client

from tests.support.hub import hub_in_loop

from .conftest import MakeHub

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOOLS = [
    "health_check",
    "list_services",
    "postgres_query",
    "postgres_list_tables",
    "postgres_describe_table",
    "postgres_search_objects",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["http", "sse"])
async def client(
    request: pytest.FixtureRequest,
    make_hub: MakeHub,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Client[Any]]:
    files = make_hub(tmp_path_factory.mktemp("tools"))
    async with hub_in_loop(files) as hub, hub.client(request.param) as connected:
        yield connected


async def test_all_tools_are_listed_as_read_only(client: Client[Any]) -> None:
    tools = await client.list_tools()

    assert [tool.name for tool in tools] == TOOLS
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
    assert all(tool.title and tool.output_schema for tool in tools)


async def test_a_query_gives_columns_and_rows(client: Client[Any]) -> None:
    answer = await client.call_tool(
        "postgres_query", {"sql": "SELECT 1 AS a, 'x' AS a, NULL::int AS b"}
    )

    assert answer.structured_content == {
        "columns": ["a", "a", "b"],
        "rows": [[1, "x", None]],
        "row_count": 1,
        "truncated": False,
        "next_cursor": None,
    }


async def test_pages_follow_one_another_to_the_end(client: Client[Any]) -> None:
    sql = "SELECT id FROM sales.orders WHERE id <= 250 ORDER BY id"
    ids: list[int] = []
    cursor = None

    while True:
        answer = await client.call_tool(
            "postgres_query", {"sql": sql, "limit": 90, "cursor": cursor}
        )
        page = answer.structured_content
        ids += [row[0] for row in page["rows"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert ids == list(range(1, 251))


async def test_a_call_never_returns_more_rows_than_the_hub_allows(
    client: Client[Any],
) -> None:
    answer = await client.call_tool(
        "postgres_query",
        {"sql": "SELECT generate_series(1, 5000)", "limit": 5000},
    )

    assert answer.structured_content["row_count"] == 100
    assert answer.structured_content["truncated"] is True


async def test_tables_are_listed_with_kinds_and_comments(client: Client[Any]) -> None:
    answer = await client.call_tool("postgres_list_tables")

    tables = {
        f"{table['schema']}.{table['name']}": (table["kind"], table["comment"])
        for table in answer.structured_content["tables"]
    }
    assert tables == {
        "public.customers": ("table", "Who buys"),
        "sales.big_orders": ("view", None),
        "sales.by_day": ("materialized view", None),
        "sales.orders": ("table", None),
    }


async def test_tables_come_in_pages_too(client: Client[Any]) -> None:
    first = (
        await client.call_tool("postgres_list_tables", {"schema": "sales", "limit": 2})
    ).structured_content

    second = (
        await client.call_tool(
            "postgres_list_tables",
            {"schema": "sales", "limit": 2, "cursor": first["next_cursor"]},
        )
    ).structured_content

    names = [table["name"] for table in first["tables"] + second["tables"]]
    assert names == ["big_orders", "by_day", "orders"]
    assert second["next_cursor"] is None


async def test_a_table_is_described_with_its_keys(client: Client[Any]) -> None:
    answer = await client.call_tool(
        "postgres_describe_table", {"table": "sales.orders"}
    )

    table = answer.structured_content
    assert table["primary_key"] == ["id"]
    assert table["foreign_keys"] == [
        {
            "name": "orders_customer_id_fkey",
            "columns": ["customer_id"],
            "references": {
                "schema": "public",
                "table": "customers",
                "columns": ["id"],
            },
        }
    ]
    assert [column["type"] for column in table["columns"]] == [
        "bigint",
        "integer",
        "numeric(12,2)",
        "date",
    ]
    assert {index["name"] for index in table["indexes"]} == {
        "orders_by_date",
        "orders_pkey",
    }


async def test_a_described_column_has_default_and_comment(client: Client[Any]) -> None:
    answer = await client.call_tool("postgres_describe_table", {"table": "Customers"})

    columns = {c["name"]: c for c in answer.structured_content["columns"]}
    assert columns["country"] == {
        "name": "country",
        "type": "character(2)",
        "nullable": False,
        "default": "'DE'::bpchar",
        "comment": "ISO 3166-1 alpha-2",
    }
    assert answer.structured_content["unique_keys"] == [
        {"name": "customers_email_key", "columns": ["email"]}
    ]


@pytest.mark.parametrize(
    ("tool", "arguments", "kind", "part"),
    [
        pytest.param(
            "postgres_query",
            {"sql": "DELETE FROM sales.orders"},
            "rejected",
            "read-only/statement",
            id="writing is refused by a named rule",
        ),
        pytest.param(
            "postgres_query",
            {"sql": "SELECT nope FROM sales.orders"},
            "query_failed",
            'column "nope" does not exist (42703)',
            id="a wrong name is told with the server's own words",
        ),
        pytest.param(
            "postgres_query",
            {"sql": "SELECT 1 / (id - 7) FROM sales.orders"},
            "query_failed",
            "NULLIF",
            id="what fails while running is told by its code",
        ),
        pytest.param(
            "postgres_query",
            {"sql": "SELECT * FROM private_notes"},
            "query_failed",
            "Permission denied",
            id="a table that the role may not read",
        ),
        pytest.param(
            "postgres_query",
            {"sql": "SELECT 1", "limit": -1},
            "bad_argument",
            "limit: must be at least 1",
            id="a limit below one",
        ),
        pytest.param(
            "postgres_query",
            {"sql": "SELECT 1", "cursor": "AAAA"},
            "bad_argument",
            "cursor",
            id="a cursor that no server signed",
        ),
        pytest.param(
            "postgres_describe_table",
            {"table": "nothing"},
            "bad_argument",
            "postgres_list_tables",
            id="a table that does not exist",
        ),
        pytest.param(
            "postgres_describe_table",
            {"table": "private_notes"},
            "bad_argument",
            "may read",
            id="a table that the role may not read looks like none",
        ),
    ],
)
async def test_a_failure_tells_the_model_what_to_do(
    client: Client[Any], tool: str, arguments: dict[str, Any], kind: str, part: str
) -> None:
    answer = await client.call_tool_mcp(tool, arguments)

    assert answer.is_error
    assert part in answer.content[0].text
    assert answer.meta["mcphub/error"]["kind"] == kind
