"""Statements on a real PostgreSQL, as a superuser, with what they must not change."""

import json

import asyncpg
import pytest

from mcphub_server.errors import Rejected
from tests.support.analytics_sql import ANALYTICS
from tests.support.corpus import load_corpus

CORPUS = load_corpus("postgres")


def items(*expected):
    return [
        pytest.param(item, id=f"{item.id}: {item.why}")
        for item in CORPUS
        if item.expected in expected
    ]


SHORT_MILLISECONDS = 2_000
"""The limit of statements that are to meet it."""


@pytest.mark.parametrize(
    "sql", [pytest.param(sql, id=name) for name, sql in ANALYTICS.items()]
)
async def test_ordinary_analytics_run_wrapped(database, sql):
    page = await database.run(sql)

    assert page.row_count == len(json.loads(page.text)["rows"])


@pytest.mark.parametrize("item", items("allow"))
async def test_what_must_work_works(database, item):
    page = await database.run(item.text, parameters=item.parameters)

    assert page.text


@pytest.mark.parametrize("item", items("reject"))
async def test_what_must_be_rejected_changes_nothing(database, item):
    with pytest.raises(Rejected):
        await database.run(item.text, parameters=item.parameters)


@pytest.mark.parametrize("item", items("safe-error"))
async def test_what_must_be_contained_is_refused_stopped_or_cut(
    database, item, monkeypatch
):
    monkeypatch.setattr(database, "timeout_ms", SHORT_MILLISECONDS)

    try:
        page = await database.run(item.text)
    except (Rejected, asyncpg.QueryCanceledError):
        return

    assert page.truncated
    assert len(page.text) < 210_000


async def test_what_a_view_would_write_the_transaction_refuses(database):
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await database.run("SELECT * FROM writing_view")


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT lower(name::varchar) FROM users", id="a shadowed lower"),
        pytest.param("SELECT 1 <%> 2", id="a user's operator"),
        pytest.param("SELECT ('x'::text).f_write", id="a user's function as a field"),
        pytest.param("SELECT x.f_write FROM unnest(ARRAY['a']) x", id="as a column"),
    ],
)
async def test_what_users_defined_is_found_out(shadowed_database, sql):
    with pytest.raises(Rejected):
        await shadowed_database.run(sql)


async def test_rows_keep_the_order_of_the_statement(database):
    page = await database.run("SELECT id FROM orders ORDER BY total DESC", limit=3)

    assert json.loads(page.text)["rows"] == [[2000], [1999], [1998]]
    assert json.loads(page.text)["next_cursor"] == "after-3"


async def test_duplicate_column_names_survive(database):
    page = await database.run("SELECT 1 AS a, 2 AS a")

    assert json.loads(page.text)["columns"] == ["a", "a"]
    assert json.loads(page.text)["rows"] == [[1, 2]]


VALUES = [
    ("9007199254740993::int8", 9007199254740993),
    ("1.50::numeric", 1.5),
    ("12345678901234567890.123::numeric", "12345678901234567890.123"),
    ("'NaN'::numeric", "NaN"),
    ("'-Infinity'::numeric", "-Infinity"),
    ("'NaN'::float8", "NaN"),
    ("'Infinity'::float4", "Infinity"),
    ("0.1::float4", 0.1),
    ("'-0'::float8", -0.0),
    ("1e400::numeric > 0", True),
    ("NULL::numeric", None),
    ("date '0044-03-15 BC'", "0044-03-15 BC"),
    ("date '99999-12-31'", "99999-12-31"),
    ("date '-infinity'", "-infinity"),
    ("timestamp 'infinity'", "infinity"),
    ("timestamp '2024-01-31 10:00:00.5'", "2024-01-31T10:00:00.5"),
    ("time '24:00'", "24:00:00"),
    ("interval '1 mon 2 days 03:04:05.6'", "1 mon 2 days 03:04:05.6"),
    ("'[1,5)'::int4range", "[1,5)"),
    ("'{[1,3),[5,7)}'::int4multirange", "{[1,3),[5,7)}"),
    ("daterange('2024-01-01', 'infinity')", "[2024-01-01,infinity)"),
    ("ARRAY[[1,2],[3,NULL]]", [[1, 2], [3, None]]),
    ("ARRAY['NaN'::float8, 1.5]", ["NaN", 1.5]),
    ("ARRAY[12345678901234567890.5]", ["12345678901234567890.5"]),
    ("ARRAY['infinity'::timestamptz]", ["infinity"]),
    ("ROW(1, 'x', NULL)", {"f1": 1, "f2": "x", "f3": None}),
    ("(SELECT e FROM employees e WHERE id = 3)",
     {"id": 3, "manager_id": 1, "name": "e3", "salary": 1003}),
    ("'\\x00ff'::bytea", "\\x00ff"),
    ("''::bytea", "\\x"),
    ("'{\"b\":1,\"a\":[1.5,null]}'::jsonb", {"a": [1.5, None], "b": 1}),
    ("'{\"a\":1,\"a\":2}'::json", '{"a":1,"a":2}'),
    ("'\"\\ud800\"'::json", '"\\ud800"'),
    ("'[1e999]'::json", ["1e999"]),
    ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid",
     "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("'10.0.0.1/8'::inet", "10.0.0.1/8"),
    ("B'101'", "101"),
    ("'12.34'::money", "$12.34"),
    ("point(1, 2)", "(1,2)"),
    ("'<a/>'::xml", "<a/>"),
    ("'users'::regclass", "users"),
    ("'a'::\"char\"", "a"),
    ("'x'", "x"),
    ("E'\\u00e9\\U0001F600'", "é😀"),
    ("'{}'::int[]", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "expected"),
    [pytest.param(*pair, id=pair[0]) for pair in VALUES],
)
async def test_a_value_is_exact_json(database, expression, expected):
    page = await database.run(f"SELECT {expression} AS v")

    assert json.loads(page.text)["rows"] == [[expected]]
    assert not page.truncated


@pytest.mark.parametrize(
    "expression",
    [
        "repeat('x', 100000 * 100)",
        "repeat('é', 3000)",
        "decode(repeat('ab', 5000), 'hex')",
        "(SELECT array_agg(g) FROM generate_series(1, 100000) g)",
        "(SELECT jsonb_agg(g) FROM generate_series(1, 100000) g)",
        "repeat('9', 5000)::numeric",
    ],
)
async def test_a_long_cell_is_cut_by_the_database_and_marked(database, expression):
    page = await database.run(f"SELECT {expression} AS v", max_cell_bytes=1_000)

    assert page.truncated
    assert json.loads(page.text)["rows"][0][0].endswith("…[cut]")
    assert len(page.text.encode()) < 1_200
