"""What depends on a database's own names: calls, operators, casts and columns."""

import time
from contextlib import suppress

import pytest
from pglast import parse_sql

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql.check import check_sql
from mcphub_server.guards.sql.closed_columns import check_closed
from mcphub_server.guards.sql.names import (
    FIND_COLUMNS,
    build_questions,
    check_answers,
    check_names,
)
from mcphub_server.guards.sql.statement import QualifiedName, UserDefinedNames
from mcphub_server.guards.sql.user_defined_names import (
    QUERY,
    build_user_defined_names,
)

DEFINED = UserDefinedNames(
    shadows=frozenset({"lower", "similarity", "f_write"}),
    functions=frozenset({"lower", "similarity", "f_write"}),
    fields=frozenset({"f_write", "pg_read_file", "http", "title"}),
    operators=frozenset({"+", "=", "<=", "<", "<->"}),
    casts=frozenset({"mood", "moods"}),
)


def check(sql: str) -> list[tuple[str, set[str]]]:
    """Return the fields that are to be asked of the database, with their owners."""
    fields = check_names(check_sql(sql).uses, DEFINED)
    return sorted(
        (field.name, {owner.name for group in field.owners or () for owner in group})
        for field in fields
    )


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT lower(name) FROM users", id="a shadowed function"),
        pytest.param("SELECT public.similarity('a', 'b')", id="a false extension's"),
        pytest.param("SELECT (1).f_write", id="a function as a field"),
        pytest.param("SELECT ($$x$$::text).title", id="one with an ordinary name"),
        pytest.param("SELECT s.title FROM unnest($$x$$) s", id="of a function's row"),
        pytest.param("SELECT s.title FROM (SELECT 1 AS a) s", id="of a subquery's"),
        pytest.param(
            "WITH s AS (SELECT 1 AS a) SELECT s.title FROM s", id="of a CTE's"
        ),
        pytest.param(
            "WITH s(a) AS (SELECT 1 AS title) SELECT s.title FROM s", id="renamed away"
        ),
        pytest.param("SELECT m.title FROM movies m(a, b)", id="by an alias's columns"),
        pytest.param("SELECT x.title FROM (VALUES (1)) x", id="of VALUES"),
        pytest.param(
            "SELECT s.title FROM movies s, (SELECT unnest($$x$$) s2) s",
            id="where one of two items has none",
        ),
        pytest.param("SELECT missing.title FROM movies m", id="of what is not there"),
        pytest.param(
            "WITH a AS (SELECT * FROM a) SELECT a.title FROM a", id="of itself"
        ),
        pytest.param("SELECT 1 + 2", id="a shadowed operator"),
        pytest.param("SELECT 1 BETWEEN 2 AND 3", id="implied by BETWEEN"),
        pytest.param("SELECT 1 NOT BETWEEN 2 AND 3", id="implied by NOT BETWEEN"),
        pytest.param("SELECT 1 BETWEEN SYMMETRIC 2 AND 3", id="by SYMMETRIC"),
        pytest.param("SELECT CASE 1 WHEN 2 THEN 3 END", id="implied by CASE"),
        pytest.param("SELECT 1 IN (SELECT 2)", id="implied by IN (SELECT …)"),
        pytest.param("SELECT 1 NOT IN (SELECT 2)", id="implied by NOT IN"),
        pytest.param("SELECT 1 IN (2, 3)", id="implied by IN"),
        pytest.param("SELECT NULLIF(1, 2)", id="implied by NULLIF"),
        pytest.param("SELECT 1 IS DISTINCT FROM 2", id="implied by IS DISTINCT"),
        pytest.param("SELECT * FROM a JOIN b USING (id)", id="implied by USING"),
        pytest.param("SELECT * FROM a NATURAL JOIN b", id="implied by NATURAL"),
        pytest.param("SELECT 1 = ANY (ARRAY[2])", id="with ANY"),
        pytest.param("SELECT (1, 2) = (3, 4)", id="between rows"),
        pytest.param("SELECT 'x'::mood", id="a cast"),
        pytest.param("SELECT CAST(1 AS public.mood)", id="the standard's cast"),
        pytest.param("SELECT mood 'x'", id="a typed literal"),
        pytest.param("SELECT $$x$$::mood[]", id="a cast of a list"),
        pytest.param(
            "SELECT * FROM json_to_recordset($$[]$$) AS r(a mood)", id="a column's type"
        ),
        pytest.param("SELECT * FROM public.moods", id="a table with such a column"),
    ],
)
def test_what_a_user_defined_is_refused_in_every_notation(sql):
    with pytest.raises(Rejected):
        check(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT pg_catalog.lower('A')",
        "SELECT 1 OPERATOR(pg_catalog.+) 2",
        "SELECT upper('a'), 1 - 2, 1 > 2",
        "SELECT f_write, title, http FROM users",
        "SELECT r.http_status, l.lo_revenue FROM requests r, lineorder l",
        "WITH s AS (SELECT 1 AS title) SELECT s.title FROM s",
        "WITH s(title) AS (SELECT 1) SELECT x.title FROM s AS x",
        "WITH s AS (SELECT a.b AS title FROM a UNION SELECT 2) SELECT s.title FROM s",
        "WITH s AS (SELECT 1 AS title), t AS (SELECT * FROM s) SELECT t.title FROM t",
        "SELECT s.title FROM (SELECT m.x AS title FROM movies m) s",
        "SELECT s.title FROM unnest(ARRAY[1]) WITH ORDINALITY AS s(title, n)",
        "SELECT r.http FROM json_to_recordset('[]') AS r(http int)",
        "SELECT x.title FROM xmltable('/a' PASSING '<a/>' COLUMNS title int) x",
        "SELECT title.title FROM generate_series(1, 2) AS title",
        "SELECT x.column1 FROM (VALUES (1)) x",
        "SELECT (j.a).b.c FROM t j",
        "SELECT 'x'::int, 'happy'::feeling",
    ],
)
def test_what_cannot_be_mistaken_passes_without_a_question(sql):
    assert [name for name, owners in check(sql) if "s" not in owners] == []


@pytest.mark.parametrize(
    ("sql", "asked"),
    [
        pytest.param(
            "SELECT m.title FROM movies m", [("title", {"movies"})], id="a table's"
        ),
        pytest.param(
            "SELECT movies.title, m.http FROM movies, public.requests m",
            [("http", {"requests"}), ("title", {"movies"})],
            id="two tables'",
        ),
        pytest.param(
            "SELECT public.movies.title FROM public.movies",
            [("title", {"movies"})],
            id="a table's with its schema",
        ),
        pytest.param(
            "SELECT s.title FROM (SELECT * FROM movies) s",
            [("title", {"movies"})],
            id="by a star",
        ),
        pytest.param(
            "SELECT s.title FROM (SELECT * FROM movies, actors) s",
            [("title", {"movies", "actors"})],
            id="by a star over two",
        ),
        pytest.param(
            "SELECT j.title FROM (movies CROSS JOIN actors) j",
            [("title", {"movies", "actors"})],
            id="by a join's name",
        ),
        pytest.param(
            "SELECT m.title FROM movies m TABLESAMPLE system (1)",
            [("title", {"movies"})],
            id="of a sample",
        ),
    ],
)
def test_whether_a_relation_has_a_column_the_database_is_asked(sql, asked):
    assert check(sql) == asked


def test_a_field_that_no_relation_has_is_refused():
    fields = check_names(
        check_sql("SELECT m.title, o.http FROM s.movies m, orders o").uses, DEFINED
    )
    ids, schemas, relations, columns = build_questions(fields)
    known = dict(zip(columns, ids, strict=True))

    check_answers(
        fields, [{"id": n, "has_relation": True, "has_column": True} for n in ids]
    )
    check_answers(
        fields, [{"id": n, "has_relation": False, "has_column": False} for n in ids]
    )
    with pytest.raises(Rejected, match="field http"):
        check_answers(
            fields,
            [{"id": known["http"], "has_relation": True, "has_column": False}],
        )
    assert set(zip(schemas, relations, strict=True)) == {
        ("s", "movies"),
        (None, "orders"),
    }


@pytest.mark.parametrize("name", ["http_get", "lo_export", "lo_get", "pg_read_file"])
def test_a_call_that_looks_like_a_field_is_refused_before_anything_is_asked(name):
    for sql in (
        f"SELECT ('x'::text).{name}",
        f"SELECT x.{name} FROM unnest(ARRAY['x']) x",  # noqa: S608
        f"SELECT x.{name} FROM (SELECT 'x'::text AS a) x",  # noqa: S608
    ):
        with pytest.raises(Rejected, match="name of a function"):
            check_sql(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT m.pg_rating FROM movies m",
        "SELECT m.http FROM movies m",
        "SELECT m.pg_read_file FROM movies m",
        "WITH s AS (SELECT 1 AS pg_bytes) SELECT s.pg_bytes FROM s",
        (
            "WITH RECURSIVE g AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM g)"
            " CYCLE n SET done USING path SELECT g.path FROM g"
        ),
        "SELECT f.path FROM files f",
        "SELECT f.path FROM (SELECT name AS path FROM files) f",
    ],
)
def test_a_column_that_is_named_like_a_function_passes_the_text_alone(sql):
    assert check_sql(sql).text == sql


def test_a_text_read_as_a_path_by_a_field_is_refused():
    with pytest.raises(Rejected, match="outline"):
        check_sql("SELECT r.path FROM repeat('(1,1),', 1000000) r")
    with pytest.raises(Rejected, match="outline"):
        check_sql("SELECT (repeat('(1,1),', 1000000)).path")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT d.path, d.geom FROM shapes s, ST_Dump(s.geom) d",
        "SELECT p.path[1] FROM shapes s CROSS JOIN LATERAL ST_DumpPoints(s.geom) AS p",
        "SELECT (ST_Dump(geom)).path[1], (ST_Dump(geom)).geom FROM shapes",
    ],
)
def test_the_path_of_a_dump_is_no_call(sql):
    assert check_sql(sql).kind == "select"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT touch.touch FROM unnest(ARRAY(SELECT o FROM orders o)) AS touch",
        "SELECT touch.touch FROM jsonb_populate_recordset(null::o, '[{}]') AS touch",
        "SELECT u.touch FROM a JOIN b USING (id) AS u, (SELECT 1 FROM t u) x",
    ],
)
def test_a_field_that_no_item_is_sure_to_have_is_judged_as_a_call(sql):
    defined = UserDefinedNames(fields=frozenset({"touch"}))
    with pytest.raises(Rejected, match="touch"):
        check_names(check_sql(sql).uses, defined)


@pytest.mark.parametrize(
    ("sql", "passes"),
    [
        ("SELECT pg_input_is_valid('2', 'even')", False),
        ("SELECT array_position(array_agg(e), '2') FROM evens", False),
        ("SELECT lead(e, 1, $1) OVER () FROM evens", False),
        ("SELECT lag(e, 1, NULL) OVER () FROM evens", False),
        ("SELECT array_position(array_agg(e), '2') FROM odds", True),
        ("SELECT lower('A'), lag(e) OVER () FROM evens WHERE e = '2'", True),
        ("SELECT json_populate_record(NULL::point3, '{}') FROM odds", True),
    ],
)
def test_a_domains_check_is_not_reached_by_a_constant(sql, passes):
    defined = UserDefinedNames(checks=frozenset({"even", "evens"}))
    uses = check_sql(sql, 1).uses

    if passes:
        assert check_names(uses, defined) == []
    else:
        with pytest.raises(Rejected, match="domain"):
            check_names(uses, defined)


CLOSED = {
    "a column by name": "SELECT query FROM pg_stat_activity",
    "with its relation": "SELECT a.query FROM pg_catalog.pg_stat_activity a",
    "with its own name": "SELECT pg_stat_activity.query FROM pg_stat_activity",
    "beside another's": "SELECT s.query, a.query FROM s, pg_stat_activity a",
    "of a joined row": "SELECT j.query FROM (s CROSS JOIN pg_stat_activity) AS j",
    "of a compared row": "SELECT u.query FROM s JOIN pg_stat_activity USING (query) u",
    "from outside": "SELECT (SELECT a.query) FROM pg_stat_activity a",
    "in a condition": "SELECT pid FROM pg_stat_activity WHERE query LIKE '%x%'",
    "by a star": "SELECT * FROM pg_stat_activity",
    "by TABLE": "TABLE pg_stat_activity",
    "by a relation's star": "SELECT a.* FROM pg_stat_activity a",
    "by a subquery's star": "SELECT s.x FROM (SELECT * FROM pg_stat_activity) s",
    "by a join's star": "SELECT * FROM pg_class c, pg_stat_activity a",
    "as a whole row": "SELECT a FROM pg_stat_activity a",
    "as JSON": "SELECT to_json(pg_stat_activity) FROM pg_stat_activity",
    "of a whole row": "SELECT (a).query FROM pg_stat_activity a",
    "renamed": "SELECT a.x FROM pg_stat_activity a(b, c, x)",
    "renamed by a join": "SELECT x FROM (pg_stat_activity CROSS JOIN t) AS j(a, b, x)",
    "of a renamed join": "SELECT j.x FROM (t CROSS JOIN pg_stat_activity) AS j(a, x)",
    "compared by USING": "SELECT 1 FROM pg_stat_activity JOIN t USING (query)",
    "compared by NATURAL": "SELECT 1 FROM pg_stat_activity NATURAL JOIN t",
    "in a count": "SELECT count(a.*) FROM pg_stat_activity a",
    "past statements": "SELECT query, calls FROM public.pg_stat_statements",
    "settings of roles": "SELECT rolname, rolconfig FROM pg_roles",
    "all of roles": "SELECT * FROM pg_roles",
    "settings of users": "SELECT useconfig FROM pg_user",
    "by a function": "SELECT x.query FROM pg_stat_get_activity(NULL) x",
    "by a backend's": "SELECT pg_stat_get_backend_activity(1)",
    "by a field": "SELECT s.pg_stat_get_backend_activity"
    " FROM pg_stat_get_backend_idset() s",
    "another extension's": "SELECT count(*) FROM pg_stat_monitor",
    "a cluster's": "SELECT pid FROM public.citus_stat_activity",
    "constants": "SELECT queryid FROM pg_qualstats_by_query",
}


@pytest.mark.parametrize("sql", CLOSED.values(), ids=CLOSED.keys())
def test_what_other_clients_asked_and_settings_of_roles_are_closed(sql):
    with pytest.raises(Rejected):
        check_sql(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT state, count(*) FROM pg_stat_activity GROUP BY state",
        "SELECT a.pid, a.wait_event FROM pg_stat_activity AS a",
        "SELECT sum(calls) FROM pg_stat_statements",
        "SELECT rolname, rolsuper FROM pg_roles ORDER BY rolname",
        "SELECT r.rolname, s.* FROM pg_roles r, (SELECT 1 AS a) s",
        "SELECT * FROM (SELECT pid, state FROM pg_stat_activity) s",
        "SELECT * FROM t JOIN (SELECT rolname FROM pg_roles) r ON t.o = r.rolname",
        "SELECT usename FROM pg_user",
        "SELECT * FROM pg_class",
        "SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_class",
        "SELECT query FROM searches",
        "SELECT s.query, a.pid FROM searches s, pg_stat_activity a",
        "SELECT q.query FROM pg_roles r JOIN public.queries q ON q.owner = r.oid",
        "SELECT * FROM shop.pg_roles",
    ],
)
def test_the_rest_of_these_catalogs_is_readable(sql):
    assert check_sql(sql).kind == "select"


@pytest.mark.parametrize(
    ("sql", "closed"),
    [
        ("SELECT pg_get_expr(relpartbound, oid) FROM pg_class", True),
        ("SELECT * FROM pg_catalog.pg_class", True),
        ("SELECT c FROM pg_class c", True),
        ("SELECT relname, reltuples FROM pg_class", False),
        ("SELECT count(*) FROM pg_class", False),
    ],
)
def test_values_of_partitions_are_closed_where_a_hub_has_schemas(sql, closed):
    columns = check_sql(sql).closed_columns

    check_closed(columns, has_schemas=False)
    assert (columns == {"pg_class.relpartbound"}) is closed
    if closed:
        with pytest.raises(Rejected):
            check_closed(columns, has_schemas=True)


def test_user_defined_names_are_sorted_by_kind():
    rows = [
        {"kind": "function", "name": "f"},
        {"kind": "shadow", "name": "lower"},
        {"kind": "operator", "name": "<%>"},
        {"kind": "operator of any schema", "name": "%>"},
        {"kind": "cast", "name": "mood"},
        {"kind": "check", "name": "even"},
        {"kind": "field own", "name": "lower"},
        {"kind": "field catalog", "name": "lower"},
        {"kind": "field catalog", "name": "pg_read_file"},
        {"kind": "field extension", "name": "similarity"},
        {"kind": "field extension", "name": "path"},
        {"kind": "field extension", "name": "dblink"},
    ]

    names = build_user_defined_names(rows)

    assert names == UserDefinedNames(
        frozenset({"lower"}),
        frozenset({"f"}),
        frozenset({"lower", "pg_read_file", "dblink"}),
        frozenset({"<%>"}),
        frozenset({"%>"}),
        frozenset({"mood"}),
        frozenset({"even"}),
    )


@pytest.mark.parametrize("sql", [QUERY, FIND_COLUMNS])
def test_a_question_to_the_database_is_one_statement(sql):
    assert len(parse_sql(sql)) == 1


def test_a_statement_keeps_what_it_uses_and_is_parsed_once():
    statement = check_sql("SELECT a.b::date FROM s.t a WHERE a.c @> '{}'")

    assert statement.uses.relations == {QualifiedName("s", "t")}
    assert statement.uses.types == {QualifiedName(None, "date")}
    assert statement.uses.operators == {QualifiedName(None, "@>")}
    assert {field.name for field in statement.uses.fields} == {"b", "c"}


DOUBLING = ", ".join(
    f"a{n} AS (SELECT * FROM a{n - 1} p, a{n - 1} q)"  # noqa: S608
    for n in range(1, 40)
)


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(
            f"WITH a0 AS (SELECT 1 AS x), {DOUBLING} SELECT a39.title FROM a39",  # noqa: S608
            id="stars that double",
        ),
        pytest.param(
            f"SELECT {', '.join(f't.c{n}' for n in range(2_000))} FROM t, u t",  # noqa: S608
            id="many columns",
        ),
        pytest.param(
            f"SELECT 1 FROM {', '.join(f'pg_roles r{n}' for n in range(500))}",  # noqa: S608
            id="many closed relations",
        ),
    ],
)
def test_resolving_columns_is_bounded(sql):
    began = time.process_time()

    with suppress(Rejected):
        check(sql)

    assert time.process_time() - began < 1
