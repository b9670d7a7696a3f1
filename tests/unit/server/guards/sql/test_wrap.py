"""The wrapper around a statement, and the transaction around both."""

import pytest
from pglast import ast, parse_sql

from mcphub_server.guards.sql.check import check_sql
from mcphub_server.guards.sql.session import build_begin
from mcphub_server.guards.sql.wrap import ColumnType, Window, find_kinds, wrap
from mcphub_server.results.columns import ColumnKind
from tests.support.analytics_sql import ANALYTICS

WRAPPABLE = {
    name: sql for name, sql in ANALYTICS.items() if check_sql(sql).columns_wrappable
}


def find_innermost(query, levels):
    for _ in range(levels):
        (source,) = query.fromClause
        assert isinstance(source, ast.RangeSubselect)
        query = source.subquery
    return query


def wrapped_sql(sql, *types, limit=101, offset=0, encoding=""):
    columns = [ColumnType(name) for name in types]
    window = Window(limit, offset, 1_000_000, 100)
    return wrap(check_sql(sql), columns, window, encoding).sql


@pytest.mark.parametrize(("encoding", "levels"), [("", 3), ("UTF8", 4)])
@pytest.mark.parametrize("sql", [pytest.param(v, id=k) for k, v in WRAPPABLE.items()])
def test_a_statement_stays_whole_inside_its_wrapper(sql, encoding, levels):
    inner = parse_sql(check_sql(sql).text)[0].stmt

    outer = parse_sql(wrapped_sql(sql, "int4", encoding=encoding))

    assert len(outer) == 1
    assert find_innermost(outer[0].stmt, levels) == inner


@pytest.mark.parametrize(
    ("types", "encoding", "is_json"),
    [
        pytest.param(["int8", "numeric", "text"], "UTF8", True, id="printed as JSON"),
        pytest.param(["int8"], "LATIN1", False, id="another encoding"),
        pytest.param(["int8"], "SQL_ASCII", False, id="no encoding"),
        pytest.param(["int8"], "", False, id="an encoding that is not told"),
        pytest.param(["int8", "jsonb"], "UTF8", False, id="JSON in a column"),
        pytest.param([], "UTF8", False, id="no columns"),
        pytest.param(["int8"] * 100, "UTF8", True, id="as many as a function takes"),
        pytest.param(["int8"] * 101, "UTF8", False, id="more columns"),
    ],
)
def test_rows_come_as_json_where_postgresql_prints_it(types, encoding, is_json):
    columns = [ColumnType(name) for name in types]

    wrapped = wrap(check_sql("SELECT 1"), columns, Window(2), encoding)

    assert wrapped.is_json == is_json
    assert ("json_build_array" in wrapped.sql) == is_json


def test_a_row_as_json_says_whether_it_is_rough():
    columns = [ColumnType("text")]

    wrapped = wrap(check_sql("SELECT 'a'"), columns, Window(2), "UTF8")
    records = [('["a"]', False, False), ('["b"]', True, False), ('["c"]', False, True)]
    rows, more = wrapped.split_page(records, 3)

    assert (rows.texts, rows.are_rough, more) == (
        ['["a"]', '["b"]'],
        [False, True],
        True,
    )


def test_columns_are_renamed_so_that_duplicates_survive():
    sql = wrapped_sql("SELECT 1 AS a, 2 AS a", "int4", "int4", limit=10, offset=20)

    assert (
        "SELECT t.c1 AS c1, t.c2 AS c2 FROM (\nSELECT 1 AS a, 2 AS a\n) AS t(c1, c2)"
        " LIMIT 11 OFFSET 20"
    ) in sql


def test_a_trailing_comment_does_not_swallow_the_wrapper():
    assert "-- b\n) AS t" in wrapped_sql("SELECT 1 -- b", "int4")


def test_a_statement_without_columns_is_wrapped_too():
    assert parse_sql(wrapped_sql("SELECT"))


@pytest.mark.parametrize(
    ("column", "kind", "part"),
    [
        (ColumnType("int8"), ColumnKind.PLAIN, "(SELECT t.c1 AS"),
        (ColumnType("float8"), ColumnKind.FLOAT, "(SELECT t.c1 AS"),
        (ColumnType("float4"), ColumnKind.FLOAT, "::pg_catalog.float8"),
        (ColumnType("numeric"), ColumnKind.NUMERIC, "pg_catalog.left(t.c1"),
        (ColumnType("text"), ColumnKind.TEXT, ", 101)"),
        (ColumnType("timestamptz"), ColumnKind.TEXT, "pg_catalog.to_json(t.c1)"),
        (ColumnType("bytea"), ColumnKind.TEXT, "pg_catalog.substr(t.c1, 1, 51)"),
        (ColumnType("jsonb"), ColumnKind.JSON, "pg_catalog.left(t.c1"),
        (ColumnType("int4[]", "array"), ColumnKind.JSON, "pg_catalog.to_json(t.c1)"),
        (ColumnType("float8[]", "array"), ColumnKind.FLOATS, "to_json(t.c1)"),
        (ColumnType("json"), ColumnKind.WRITTEN_JSON, "pg_catalog.left(t.c1"),
        (ColumnType("json[]", "array"), ColumnKind.WRITTEN_JSON, "to_json"),
        (
            ColumnType("users", "composite", "public"),
            ColumnKind.WRITTEN_JSON,
            "to_json",
        ),
        (ColumnType("record"), ColumnKind.WRITTEN_JSON, "to_json"),
        (ColumnType("int4range", "range"), ColumnKind.TEXT, "pg_catalog.left"),
        (ColumnType("vector", "scalar", "public"), ColumnKind.JSON, "left(t.c1"),
        (ColumnType("sparsevec", "scalar", "public"), ColumnKind.TEXT, "left(t.c1"),
        (ColumnType("hstore", "scalar", "public"), ColumnKind.JSON, "to_json(t.c1)"),
        (ColumnType("mood", "scalar", "public"), ColumnKind.TEXT, "left(t.c1"),
    ],
)
def test_a_columns_type_says_how_it_travels(column, kind, part):
    wrapped = wrap(check_sql("SELECT 1"), [column], Window(2, 0, 1_000_000, 100))

    assert wrapped.kinds == (kind,)
    assert part in wrapped.sql


@pytest.mark.parametrize(
    ("columns", "max_bytes", "cap"),
    [
        pytest.param(0, 1_048_576, 32_768, id="no column"),
        pytest.param(64, 1_048_576, 32_768, id="as many columns as have full cells"),
        pytest.param(1_600, 1_048_576, 1_310, id="the most columns of a table"),
        pytest.param(1_600, 2_000, 256, id="a small page still shows something"),
    ],
)
def test_many_columns_share_what_one_row_may_have(columns, max_bytes, cap):
    assert Window(100, 0, max_bytes).cap_cells(columns) == cap


@pytest.mark.parametrize(
    ("records", "page"),
    [
        pytest.param([], ([], False), id="none"),
        pytest.param([("a", False), ("b", False)], ([("a",), ("b",)], False), id="all"),
        pytest.param(
            [("a", False), ("b", False), ("c", False)],
            ([("a",), ("b",)], True),
            id="one row more than the page",
        ),
        pytest.param(
            [("a", False), ("b", True)], ([("a",)], True), id="one beyond the budget"
        ),
    ],
)
def test_the_row_beyond_the_page_only_tells_that_there_is_one(records, page):
    wrapped = wrap(check_sql("SELECT 'a'"), [ColumnType("text")], Window(2))

    assert wrapped.split_page(records, 2) == page


def test_the_plan_as_json_is_read_as_json():
    assert find_kinds([ColumnType("json"), ColumnType("text")]) == (
        ColumnKind.JSON,
        ColumnKind.ANY,
    )


def test_the_transaction_only_reads_and_reads_strings_as_the_guard_does():
    begin = build_begin(30_000)

    assert begin.startswith("BEGIN READ ONLY; ")
    assert "SET LOCAL statement_timeout = 30000" in begin
    assert "SET LOCAL standard_conforming_strings = on" in begin
    assert "SET LOCAL jit = off" in begin
    assert "SET LOCAL datestyle = 'ISO'" in begin
    assert len(parse_sql(begin)) == begin.count(";") + 1
