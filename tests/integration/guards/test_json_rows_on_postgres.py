"""Rows that PostgreSQL writes as JSON say what rows read value by value say."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcphub_server.results.cells import CUT_MARK
from tests.support.guarded_sql import GuardedDatabase
from tests.support.postgres import PostgresServer

from .conftest import make_database

LONGEST_NUMBER = 40
CELL_BYTES = 24

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40
)
LETTERS = st.text(
    st.sampled_from("aé文😀 \\\"'\n\x01\x7f\u2028"), max_size=2 * CELL_BYTES
)


def sample(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(texts)


def spell_numeric(parts: tuple[str, str, str]) -> str:
    sign, whole, fraction = parts
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


DIGITS = st.text(st.sampled_from("01234567899000"), max_size=LONGEST_NUMBER // 2)
NUMERICS = st.tuples(sample("", "-"), DIGITS.map(lambda d: d or "0"), DIGITS).map(
    spell_numeric
)

WRITTEN = {
    "boolean": sample("true", "false"),
    "smallint": st.integers(-(2**15), 2**15 - 1).map(str),
    "integer": st.integers(-(2**31), 2**31 - 1).map(str),
    "bigint": st.integers(-(2**63), 2**63 - 1).map(str),
    "oid": st.integers(0, 2**32 - 1).map(str),
    "float8": st.floats().map(repr),
    "float4": st.floats(width=32).map(repr),
    "numeric": NUMERICS | sample("NaN", "1e-40", "1e25", "18446744073709551616"),
    "numeric(12, 2)": st.integers(-(10**9), 10**9).map(lambda n: f"{n / 100:.2f}"),
    "text": TEXTS | LETTERS,
    "varchar(30)": TEXTS.map(lambda text: text[:30]),
    "char(5)": sample("", "a", "ab   ", "abcde"),
    "name": LETTERS.map(lambda text: text[:12]),
    '"char"': sample("", "a", '"'),
    "bytea": st.binary(max_size=CELL_BYTES).map(lambda b: "\\x" + b.hex()),
    "date": sample("2026-01-31", "infinity", "0044-03-15 BC", "12026-01-31"),
    "time": sample("24:00", "00:00:00.000001"),
    "timetz": sample("12:30+02", "00:00:00-15:59:59"),
    "timestamp": sample("2026-01-31 12:00:00.5", "-infinity", "0044-03-15 01:00 BC"),
    "timestamptz": sample("2026-01-31 12:00:00+02", "infinity", "0001-01-01 BC"),
    "interval": sample("1 year -2 mons 3 days 04:05:06.789", "0", "-00:00:01"),
    "uuid": st.uuids().map(str),
    "money": sample("12.50", "-0.01", "92233720368547758.07"),
    "inet": sample("10.0.0.1", "10.0.0.0/8", "::1"),
    "macaddr": sample("08:00:2b:01:02:03"),
    "varbit": sample("", "1010"),
    "point": sample("(1,2)", "(1e300,-0)"),
    "int4range": sample("[1,5)", "empty", "(,)"),
    "regclass": sample("pg_class", "pg_catalog.pg_type"),
    "xid": sample("0", "4294967295"),
    "positive": st.integers(1, 99).map(str),
    "tint": sample("pale", 'da"rk'),
}
TYPES = """
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TYPE tint AS ENUM ('pale', 'da"rk');
"""

STATEMENTS = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def quote(text: str | None, kind: str) -> str:
    if text is None:
        return f"NULL::{kind}"
    return "'{}'::{}".format(text.replace("'", "''"), kind)


@st.composite
def statements(draw: st.DrawFn) -> str:
    """Draw a statement without tables."""
    columns = draw(st.lists(st.sampled_from(sorted(WRITTEN)), min_size=1, max_size=6))
    rows = draw(
        st.lists(
            st.tuples(*(st.none() | WRITTEN[kind] for kind in columns)),
            min_size=1,
            max_size=5,
        )
    )
    values = (
        ", ".join(quote(*cell) for cell in zip(row, columns, strict=True))
        for row in rows
    )
    return f"VALUES ({'), ('.join(values)})"


@dataclass(frozen=True)
class Database:
    """The same statement, asked in both ways."""

    runner: asyncio.Runner
    guarded: GuardedDatabase

    def ask(self, sql: str, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a page of rows written by PostgreSQL, and one of rows read."""
        pages = [
            self.runner.run(self.guarded.run(sql, as_json=as_json, **options))
            for as_json in (True, False)
        ]
        written, read = [json.loads(page.text) for page in pages]
        assert written["truncated"] == pages[0].truncated
        assert written["row_count"] == pages[0].row_count == len(written["rows"])
        return written, read


@pytest.fixture(scope="module")
def database(server: PostgresServer) -> Iterator[Database]:
    dsn = make_database(server, "written", TYPES)
    with asyncio.Runner() as runner:
        guarded = runner.run(GuardedDatabase.connect(dsn))
        yield Database(runner, guarded)
        runner.run(guarded.close())


@STATEMENTS
@given(sql=statements())
def test_both_ways_say_the_same(database: Database, sql: str) -> None:
    written, read = database.ask(sql)

    assert written == read


@STATEMENTS
@given(sql=statements(), cell_bytes=st.integers(1, CELL_BYTES))
def test_both_ways_cut_the_same(database: Database, sql: str, cell_bytes: int) -> None:
    written, read = database.ask(sql, max_cell_bytes=cell_bytes)

    assert written == read


@STATEMENTS
@given(sql=statements(), room=st.integers(1, 300))
def test_a_page_without_room_has_its_first_rows(
    database: Database, sql: str, room: int
) -> None:
    _, whole = database.ask(sql)

    written, _ = database.ask(sql, max_bytes=512 + room)

    # how many fit depends on spaces behind commas and on zeros at the end of numbers
    kept = written["row_count"]
    assert kept == 1 or written["rows"] == whole["rows"][:kept]
    assert (written["next_cursor"] is None) == (kept == whole["row_count"])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS a, 'x' AS a, 2 AS a",
        "SELECT n FROM generate_series(1, 50) AS n ORDER BY n % 7, n DESC",
        "SELECT n, n::text FROM generate_series(1, 5) AS n WHERE n > 5",
        "SELECT FROM generate_series(1, 3)",
        "SELECT repeat('é', n) FROM generate_series(1, 40) AS n",
        "SELECT relname, oid, relpages, reltuples FROM pg_class ORDER BY oid LIMIT 60",
        "SELECT '{\"a\": 1.50}'::jsonb, 1 AS one",
        "SELECT ARRAY[1.5, NULL]",
        f"SELECT {', '.join(['1'] * 100)}",
        f"SELECT {', '.join(['1'] * 101)}",
        "SHOW server_version",
        "EXPLAIN (FORMAT JSON, COSTS OFF) SELECT 1",
    ],
)
@pytest.mark.parametrize("limit", [100, 4, 1])
def test_both_ways_page_the_same(database: Database, sql: str, limit: int) -> None:
    written, read = database.ask(sql, limit=limit, max_cell_bytes=CELL_BYTES)

    assert written == read


def test_what_is_random_is_evaluated_once(database: Database) -> None:
    sql = (
        "SELECT repeat('x', (random() * 48)::integer),"
        " (random() * 10 ^ (random() * 30))::numeric FROM generate_series(1, 100)"
    )

    written, _ = database.ask(sql, max_cell_bytes=CELL_BYTES)

    sizes = {len(text.removesuffix(CUT_MARK)) for text, _ in written["rows"]}
    cut = [text for text, _ in written["rows"] if text.endswith(CUT_MARK)]
    assert max(sizes) == CELL_BYTES
    assert {len(text) for text in cut} == {CELL_BYTES + len(CUT_MARK)}


@pytest.mark.parametrize("as_json", [True, False])
def test_a_statement_that_fails_midway_fails(
    database: Database, *, as_json: bool
) -> None:
    sql = "SELECT n, 1 / (n - 3) FROM generate_series(1, 5) AS n"

    with pytest.raises(asyncpg.DivisionByZeroError):
        database.runner.run(database.guarded.run(sql, as_json=as_json))
