"""Ordinary analytics SQL, none of which the guard may refuse."""

import pytest

from mcphub_server.guards.sql.check import check_sql
from tests.support.analytics_sql import ANALYTICS


@pytest.mark.parametrize(
    "sql", [pytest.param(sql, id=name) for name, sql in ANALYTICS.items()]
)
def test_ordinary_analytics_pass(sql):
    statement = check_sql(sql)

    assert statement.text


def test_the_table_of_analytics_has_not_shrunk():
    assert len(ANALYTICS) >= 100


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        pytest.param("SELECT 1;", "SELECT 1", id="a trailing semicolon goes"),
        pytest.param(" \n SELECT 1 \n", "SELECT 1", id="white space around it goes"),
        pytest.param("/* a */ SELECT 1", "SELECT 1", id="a leading comment goes"),
        pytest.param("SELECT 1; -- b", "SELECT 1", id="a comment behind the end goes"),
        pytest.param("SELECT 1 -- b", "SELECT 1 -- b", id="a comment inside stays"),
        pytest.param("SELECT 'ä;' ;", "SELECT 'ä;'", id="offsets count letters"),
    ],
)
def test_the_statement_is_cut_out_of_its_surroundings(sql, text):
    assert check_sql(sql).text == text


@pytest.mark.parametrize(
    "expression",
    [
        "polygon '((0,0),(1,1),(1,0))' && area",
        "'((0,0),(1,1))'::path <-> way",
        "polygon(circle '((0,0),1)')",
        "polygon(box(point '(0,0)', point '(1,1)'))",
        "polygon(64, round)",
        "pg_catalog.polygon(way)",
        "way::polygon @> spot",
        "(t.way)::polygon",
        "outline::text",
    ],
)
def test_shapes_of_few_points_pass(expression):
    assert check_sql(f"SELECT {expression} FROM t")  # noqa: S608


def test_equal_statements_have_equal_fingerprints():
    assert check_sql("SELECT 1;").fingerprint == check_sql("SELECT 1").fingerprint


def test_statements_that_differ_in_constants_share_a_shape_only():
    one, two = check_sql("SELECT 1"), check_sql("SELECT 2")

    assert one.shape == two.shape
    assert one.fingerprint != two.fingerprint


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1", "select"),
        ("TABLE t", "select"),
        ("VALUES (1)", "select"),
        ("EXPLAIN SELECT 1", "explain"),
        ("SHOW work_mem", "show"),
    ],
)
def test_the_kind_says_whether_it_can_be_wrapped(sql, kind):
    statement = check_sql(sql)

    assert statement.kind == kind
    assert statement.columns_wrappable == (kind == "select")


def test_placeholders_pass_when_values_come_with_them():
    assert check_sql("SELECT $1, $2", 2).kind == "select"


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(f"-- {'-' * 200}\nSELECT 1", id="a ruled line"),
        pytest.param(f"/* {'*=' * 200} */ SELECT 1", id="a framed comment"),
        pytest.param("/* a /* nested */ one */ SELECT 1", id="a nested comment"),
        pytest.param(f"SELECT '{'-=' * 200}'", id="a string of signs"),
        pytest.param(f"SELECT E'\\'{'+' * 200}'", id="an escaped quote and signs"),
        pytest.param(f'SELECT 1 AS "{"-" * 60}"', id="a name of signs"),
        pytest.param(f"SELECT $a$'{'/*' * 200}$a$", id="dollar quotes"),
        pytest.param("SELECT 1\n" + "-- note\n" * 250, id="a commented statement"),
        pytest.param(
            f"SELECT 1 WHERE '' IN ({', '.join(['$$日本語$$'] * 250)})",
            id="a list of texts beyond ASCII",
        ),
        pytest.param(f"SELECT '{'é' * 8_000}'", id="a long text beyond ASCII"),
    ],
)
def test_signs_and_letters_that_only_look_costly_pass(sql: str) -> None:
    assert check_sql(sql).kind == "select"
