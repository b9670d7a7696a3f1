"""Every type of PostgreSQL as exact JSON, through the tool and back."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client

from tests.support import postgres
from tests.support.hub import hub_in_loop
from tests.support.postgres import PostgresServer

from .conftest import MakeHub

pytestmark = pytest.mark.asyncio(loop_scope="module")

TYPES = """
CREATE TYPE public.mood AS ENUM ('glad', 'sad');
CREATE TYPE public.pair AS (left_part integer, right_part text);
CREATE DOMAIN public.positive AS integer CHECK (VALUE > 0);
CREATE TABLE public.widened AS SELECT 1 AS a;
ALTER TABLE public.widened ADD COLUMN b text DEFAULT 'x';
"""

VALUES: list[tuple[str, Any]] = [
    ("true", True),
    ("NULL", None),
    ("32767::smallint", 32767),
    ("9007199254740991::bigint", 9007199254740991),
    ("1.10::numeric", 1.1),
    ("0.1::float4", 0.1),
    ("'NaN'::float8", "NaN"),
    ("'-Infinity'::float8", "-Infinity"),
    ("'NaN'::numeric", "NaN"),
    ("'Infinity'::numeric", "Infinity"),
    (
        "12345678901234567890.123456789::numeric",
        "12345678901234567890.123456789",
    ),
    ("'ünï→'::text", "ünï→"),
    ("'a'::\"char\"", "a"),
    ("'ab'::char(4)", "ab"),  # the padding means nothing to PostgreSQL either
    ("'\\xdeadbeef'::bytea", "\\xdeadbeef"),
    ("date '2026-01-31'", "2026-01-31"),
    ("date '0044-03-15 BC'", "0044-03-15 BC"),
    ("date 'infinity'", "infinity"),
    ("date '12026-01-31'", "12026-01-31"),
    ("time '24:00'", "24:00:00"),
    ("timetz '12:30+02'", "12:30:00+02"),
    ("timestamp '2026-01-31 12:00:00.5'", "2026-01-31T12:00:00.5"),
    ("timestamp '-infinity'", "-infinity"),
    ("interval '1 year 2 mons 3 days 04:05:06'", "1 year 2 mons 3 days 04:05:06"),
    ("'{\"a\": [1, null, 2.50]}'::json", {"a": [1, None, 2.5]}),
    ("'{\"a\": 1}'::jsonb", {"a": 1}),
    ("'null'::jsonb", None),
    ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid",) * 2,
    ("'10.0.0.0/8'::cidr", "10.0.0.0/8"),
    ("'08:00:2b:01:02:03'::macaddr", "08:00:2b:01:02:03"),
    ("B'1010'", "1010"),
    ("'(1,2)'::point", "(1,2)"),
    ("int4range(1, 5)", "[1,5)"),
    ("daterange('2026-01-01', NULL)", "[2026-01-01,)"),
    ("'{[1,3),[5,7)}'::int4multirange", "{[1,3),[5,7)}"),
    ("ARRAY[1, NULL, 3]", [1, None, 3]),
    ("0.1::float8 + 0.2::float8", 0.30000000000000004),
    (
        "ARRAY[0.1::float8 + 0.2::float8, 1.5, 'NaN', 1e300]",
        [0.30000000000000004, 1.5, "NaN", 1e300],
    ),
    ("ARRAY[0.1::float4, 1.5]", [0.1, 1.5]),
    ('\'{"a": 1, "a": 2}\'::json', '{"a": 1, "a": 2}'),
    ('ROW(\'{"a": 1, "a": 2}\'::json)', '{"f1":{"a": 1, "a": 2}}'),
    (
        "ARRAY[123456789012345678901234567890, 1.5, 18446744073709551615]::numeric[]",
        ["123456789012345678901234567890", 1.5, 18446744073709551615],
    ),
    (
        "'{\"n\": 123456789012345678901234567890}'::jsonb",
        {"n": "123456789012345678901234567890"},
    ),
    ("'[1e400]'::jsonb", ["1" + "0" * 400]),
    ("'1e400'::jsonb", "1" + "0" * 400),
    ("ARRAY[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
    ("ARRAY['a', NULL, 'b,\"c\"']", ["a", None, 'b,"c"']),
    ("ARRAY[date 'infinity']", ["infinity"]),
    ("'sad'::mood", "sad"),
    ("7::positive", 7),
    ("ROW(1, 'x')::pair", {"left_part": 1, "right_part": "x"}),
    ("ARRAY[ROW(1, 'x')::pair]", [{"left_part": 1, "right_part": "x"}]),
    ("to_tsvector('simple', 'a b')", "'a':1 'b':2"),
    ("'<a>1</a>'::xml", "<a>1</a>"),
    ("'pg_class'::regclass", "pg_class"),
    ("12.50::money", "$12.50"),
    (
        (
            "(SELECT attmissingval FROM pg_attribute"  # of the type anyarray
            " WHERE attrelid = 'widened'::regclass AND attname = 'b')"
        ),
        "{x}",
    ),
]
VALUES = [
    (sql, sql[1:-7]) if value == sql and sql.endswith("::uuid") else (sql, value)
    for sql, value in VALUES
]


@pytest.fixture(scope="module", autouse=True)
def _types(shop: PostgresServer) -> None:
    shop.run_sql(TYPES, postgres.DATABASE)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(
    make_hub: MakeHub, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Client[Any]]:
    files = make_hub(tmp_path_factory.mktemp("values"))
    async with hub_in_loop(files) as hub, hub.client() as connected:
        yield connected


@pytest.mark.parametrize(("sql", "value"), VALUES, ids=[sql for sql, _ in VALUES])
async def test_a_value_is_exact_json(
    client: Client[Any], sql: str, value: object
) -> None:
    answer = await client.call_tool("postgres_query", {"sql": f"SELECT {sql}"})

    assert answer.structured_content["rows"] == [[value]]


async def test_a_statement_without_columns_has_rows_all_the_same(
    client: Client[Any],
) -> None:
    answer = await client.call_tool("postgres_query", {"sql": "SELECT FROM customers"})

    assert answer.structured_content["columns"] == []
    assert answer.structured_content["row_count"] == 50


@pytest.mark.parametrize(
    "sql",
    [
        "EXPLAIN SELECT * FROM sales.orders",
        "EXPLAIN (FORMAT JSON) SELECT * FROM sales.orders",
        "SHOW server_version",
        "VALUES (1), (2)",
        "TABLE customers",
        "WITH a AS (SELECT 1 AS x) SELECT * FROM a",
        "SELECT 1 -- a comment at the end",
        "SELECT 1;",
        "SELECT * FROM pg_attribute LIMIT 1",
        "SELECT * FROM pg_stats LIMIT 1",
        "SELECT (NULL::pg_proc)::text",
    ],
)
async def test_every_reading_statement_works(client: Client[Any], sql: str) -> None:
    answer = await client.call_tool("postgres_query", {"sql": sql})

    assert answer.structured_content["row_count"] > 0
