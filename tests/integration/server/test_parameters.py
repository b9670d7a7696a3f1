"""Values beside a statement: as data, of the type that PostgreSQL expects."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client
from fastmcp.exceptions import ToolError

from tests.support.hub import hub_in_loop

from .conftest import MakeHub

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(
    make_hub: MakeHub, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Client[Any]]:
    files = make_hub(tmp_path_factory.mktemp("parameters"))
    async with hub_in_loop(files) as hub, hub.client() as connected:
        yield connected


async def ask(client: Client[Any], sql: str, *values: object, **more: object) -> Any:
    arguments = {"sql": sql, "parameters": list(values), **more}
    answer = await client.call_tool("postgres_query", arguments)
    return answer.structured_content


@pytest.mark.parametrize(
    ("sql", "values", "cell"),
    [
        ("SELECT name FROM customers WHERE id = $1", [7], "Customer 7"),
        ("SELECT id FROM customers WHERE name = $1", ["Customer 7"], 7),
        ("SELECT $1", ["x' OR 1 = 1 --"], "x' OR 1 = 1 --"),
        ("SELECT count(*) FROM customers WHERE name = $1", ["' OR true --"], 0),
        ("SELECT $1::bool AND true", [True], True),
        ("SELECT $1::int8 - 1", ["9223372036854775807"], 9223372036854775806),
        ("SELECT $1::numeric + 1", ["0.10"], 1.1),
        ("SELECT $1::float8 * 2", [1.25], 2.5),
        ("SELECT $1::float8", ["NaN"], "NaN"),
        (
            "SELECT min(id) FROM sales.orders WHERE placed > $1",
            ["2026-01-03"],
            3,
        ),
        ("SELECT $1::timestamp", ["2026-01-31T12:00:00"], "2026-01-31T12:00:00"),
        (
            "SELECT $1::timestamptz = '2026-01-31 12:00+02'",
            ["2026-01-31T10:00:00Z"],
            True,
        ),
        ("SELECT $1::time", ["12:30:00"], "12:30:00"),
        ("SELECT $1::jsonb -> 'a'", [{"a": [1, None]}], [1, None]),
        ("SELECT $1::json", ["text"], "text"),
        ("SELECT $1::bytea", ["\\x00ff"], "\\x00ff"),
        ("SELECT count(*) FROM customers WHERE id = ANY ($1)", [[1, 2, 3]], 3),
        ("SELECT $1::text[]", [["a", None]], ["a", None]),
        ("SELECT $1::text IS NULL", [None], True),
        (
            "SELECT $1::uuid",
            ["0b0c8a6e-2c38-4e0f-9f3c-3d5b0f6b7a11"],
            "0b0c8a6e-2c38-4e0f-9f3c-3d5b0f6b7a11",
        ),
        ("SELECT $1::text::interval + '1 day'", ["2 days"], "3 days"),
        ("SELECT $2::int4 - $1::int4", [1, 3], 2),
    ],
)
async def test_a_value_arrives_as_what_the_placeholder_is(
    client: Client[Any], sql: str, values: list[object], cell: object
) -> None:
    page = await ask(client, sql, *values)

    assert page["rows"] == [[cell]]


async def test_a_plan_takes_parameters_too(client: Client[Any]) -> None:
    page = await ask(client, "EXPLAIN SELECT * FROM customers WHERE id = $1", 1)

    assert page["rows"]


async def test_pages_go_on_with_the_same_parameters(client: Client[Any]) -> None:
    sql = "SELECT id FROM customers WHERE id > $1 ORDER BY id"
    first = await ask(client, sql, 10, limit=2)

    second = await ask(client, sql, 10, limit=2, cursor=first["next_cursor"])

    assert first["rows"] + second["rows"] == [[11], [12], [13], [14]]


async def test_a_cursor_is_bound_to_the_parameters(client: Client[Any]) -> None:
    sql = "SELECT id FROM customers WHERE id > $1 ORDER BY id"
    first = await ask(client, sql, 10, limit=2)

    with pytest.raises(ToolError, match="does not belong to this call"):
        await ask(client, sql, 20, limit=2, cursor=first["next_cursor"])


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("sql", "values", "message"),
    [
        pytest.param("SELECT $1", [], "no value for the placeholder", id="too few"),
        pytest.param("SELECT 1", [SECRET], "has 0 placeholders", id="too many"),
        pytest.param("SELECT $1::int4", [SECRET], "a whole number", id="no number"),
        pytest.param("SELECT $1::int4", [2**31], "a whole number", id="too large"),
        pytest.param("SELECT $1::int4", [True], "a whole number", id="a boolean"),
        pytest.param("SELECT $1::text", [5], "give a string", id="no string"),
        pytest.param("SELECT $1::date", [SECRET], "2026-01-31", id="no date"),
        pytest.param(
            "SELECT $1::timestamptz", ["2026-01-31T10:00"], "time zone", id="no zone"
        ),
        pytest.param(
            "SELECT $1::interval", [SECRET], r"\$1::text::interval", id="another type"
        ),
        pytest.param("SELECT $1::int4[]", [[[SECRET]]], "does not fit", id="a list"),
        pytest.param(
            "SELECT $1::int4[]", [[1, [2]]], "does not fit", id="a ragged list"
        ),
        pytest.param(
            "SELECT $1::text", [f"{SECRET}\0"], "a character", id="a zero byte"
        ),
        pytest.param(
            "SELECT $1::numeric", ["1e999999"], "does not fit", id="a huge number"
        ),
        pytest.param(
            "SELECT $1::numeric", ["1e131073"], "does not fit", id="a digit too many"
        ),
        pytest.param(
            "SELECT $1::date", ["9999-12-31"], "does not fit", id="what means infinity"
        ),
        pytest.param(
            "SELECT $1::timestamp",
            ["9999-12-31T23:59:59.999999"],
            "does not fit",
            id="its last moment",
        ),
        pytest.param("SELECT $1::text::int4", [SECRET], "cannot be read", id="a cast"),
    ],
)
async def test_what_does_not_fit_is_refused_without_repeating_it(
    client: Client[Any], sql: str, values: list[object], message: str
) -> None:
    with pytest.raises(ToolError, match=message) as refused:
        await ask(client, sql, *values)

    assert SECRET not in str(refused.value)
    assert "unavailable" not in str(refused.value)
    assert "inside the server" not in str(refused.value)


async def test_a_placeholder_cannot_hide_a_call(client: Client[Any]) -> None:
    page = await ask(client, "SELECT $1::text", "1), (SELECT pg_sleep(9)")

    assert page["rows"] == [["1), (SELECT pg_sleep(9)"]]
