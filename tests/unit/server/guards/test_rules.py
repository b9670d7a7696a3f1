"""Each rule of the guards: what it refuses, and what passes that is close to it.

A rule that refuses too much costs users as much as one that refuses too little. So a
rule without either is an error of this table.
"""

import ast
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from mcphub_server.errors import Rejected
from mcphub_server.guards.cypher.budget import forget_predictions
from mcphub_server.guards.cypher.check import check_cypher
from mcphub_server.guards.mongodb.expressions import (
    check_filter as check_mongodb_filter,
)
from mcphub_server.guards.mongodb.expressions import check_projection, check_sort
from mcphub_server.guards.mongodb.names import check_collection
from mcphub_server.guards.mongodb.parameters import read_declared
from mcphub_server.guards.mongodb.pipeline import check_pipeline
from mcphub_server.guards.qdrant.filters import check_filter
from mcphub_server.guards.qdrant.names import check_collection_name, check_vector_name
from mcphub_server.guards.sql.bound import check_bound
from mcphub_server.guards.sql.check import check_sql
from mcphub_server.guards.sql.names import check_names
from mcphub_server.guards.sql.placeholders import check_declared
from mcphub_server.guards.sql.scope import check_found, check_qualified
from mcphub_server.guards.sql.statement import NOTHING, UserDefinedNames
from tools.project import ROOT

GUARDS = ROOT / "server" / "mcphub_server" / "guards"
SCHEMAS = ("shop",)
DEFINED = UserDefinedNames(
    shadows=frozenset({"lower"}),
    functions=frozenset({"lower"}),
    operators=frozenset({"="}),
    casts=frozenset({"money_of_ours"}),
)

Check = Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule refuses, and what passes; how both are checked."""

    check: Check
    refused: tuple[Any, ...]
    passed: tuple[Any, ...]


def check_in_scope(sql: str) -> None:
    """Check a statement for a hub with `schemas`."""
    check_qualified(check_sql(sql), SCHEMAS)


def check_in_database(sql: str) -> None:
    """Check a statement for a database whose users defined names."""
    check_names(check_sql(sql).uses, DEFINED)


def check_for_identity(sql: str) -> None:
    """Check a statement for a caller who sees only their own rows."""
    check_bound(check_sql(sql))


def check_unremembered(cypher: str) -> None:
    """Check a statement whose predictions no earlier one has made."""
    forget_predictions()
    check_cypher(cypher)


def declare(sql: str) -> None:
    """Check the statement of a declared tool with one parameter."""
    check_declared(sql, ["int"], NOTHING)


def with_parameter(sql: str) -> None:
    """Check a statement that has one parameter."""
    check_sql(sql, 1)


def nest(inner: str, depth: int) -> str:
    return "(" * depth + inner + ")" * depth


def nest_filter(depth: int, clause: str = "must", leaf: Any = None) -> dict[str, Any]:
    node = leaf or {"key": "n", "match": {"value": 1}}
    for _ in range(depth):
        node = {clause: [node]}
    return node


def condition(**predicate: Any) -> dict[str, Any]:
    return {"must": [{"key": "n", **predicate}]}


SQL = {
    "sql/empty": Rule(check_sql, ("", " ; ", "-- only a comment"), ("SELECT;",)),
    "sql/one-statement": Rule(
        check_sql,
        ("SELECT 1; SELECT 2", "SELECT 1; DROP TABLE t"),
        ("SELECT 1;", "SELECT ';' || $$; SELECT 2$$"),
    ),
    "sql/syntax": Rule(
        check_sql, ("SELEC 1", "SELECT 'open"), ("SELECT 1 AS selec", "SELECT 'it''s'")
    ),
    "sql/characters": Rule(
        check_sql,
        ("SELECT '\0'", "SELECT '\ud800'"),
        ("SELECT 'é😀'", r"SELECT E'\u00e9', U&'\00e9'"),
    ),
    "sql/size": Rule(
        check_sql,
        (f"SELECT '{'x' * 16_400}'", "SELECT 1" + "+a" * 4_000),
        (f"SELECT '{'x' * 16_000}'", "SELECT 1" + ",1" * 5_000),
    ),
    "sql/nesting": Rule(
        check_sql,
        (f"SELECT {nest('1', 201)}", "SELECT 1" + "+1" * 2_000),
        (f"SELECT {nest('1', 150)}", "SELECT 1" + "+1" * 1_000),
    ),
    "sql/operator": Rule(
        check_sql,
        ("SELECT 1 " + "+" * 64 + " 1",),
        ("SELECT 1 -- " + "+" * 200, f"SELECT '{'+' * 200}'", "SELECT - - - 1"),
    ),
    "sql/comments": Rule(
        check_sql,
        ("SELECT 1" + "/**/" * 301, "/*" * 21 + "*/" * 21 + "SELECT 1"),
        ("SELECT 1" + "/**/" * 299, "/*" * 19 + "*/" * 19 + "SELECT 1"),
    ),
    "sql/dialect": Rule(
        check_sql,
        ("SHOW TABLES", "DESCRIBE t", r"\d t", "PRAGMA table_info(t)"),
        ("SHOW server_version", "SELECT describe FROM t", "SELECT tables FROM show"),
    ),
    "sql/parameter": Rule(
        with_parameter, ("SELECT $2", "SELECT $0"), ("SELECT $1", "SELECT '$2'")
    ),
    "sql/declared": Rule(
        declare, ("EXPLAIN SELECT $1", "SHOW work_mem"), ("VALUES ($1)", "SELECT $1")
    ),
    "sql/construct": Rule(
        check_sql,
        ("SELECT merge_action()",),
        ("SELECT merge_actions FROM t", 'SELECT "merge_action" FROM t'),
    ),
    "sql/xpath": Rule(
        check_sql,
        ("SELECT xpath('//a[//b]', d) FROM t", "SELECT xpath(p, d) FROM t"),
        ("SELECT xpath('//a[@id=\"1\"]/text()', d) FROM t",),
    ),
    "read-only/projection": Rule(
        check_sql,
        (
            "SELECT ST_Transform(g, '+proj=longlat +nadgrids=/etc/passwd', 4326)",
            "SELECT ST_Transform(g, 'proj=longlat geoidgrids=@/tmp/x') FROM t",
            "SELECT ST_Transform(g, '+init=/etc/passwd:x', 4326) FROM t",
            "SELECT ST_Transform(g, 'passwd:x') FROM t",
            "SELECT ST_Transform(g, 'EPSG:3857/../../x') FROM t",
            'SELECT ST_Transform(g, \'PROJCS["x",EXTENSION["PROJ4","y"]]\') FROM t',
            "SELECT ST_Transform(g, '+proj=longlat +nad' || 'grids=x', 4326) FROM t",
            "SELECT public.st_transform(g, to_proj => s.proj4text) FROM t, s",
            "SELECT ST_Transform(g, x.p) FROM t, (VALUES ('+init=/a:b')) AS x(p)",
            "SELECT ST_TransformPipeline(g, '+proj=hgridshift +grids=/x') FROM t",
            "SELECT ST_TransformPipeline(g, pipeline => '+proj=defmodel +model=x')",
            "SELECT postgis_transform_geometry(g, '+init=/x:y', '+proj=merc', 0)",
        ),
        (
            "SELECT ST_Transform(g, 3857) FROM t",
            "SELECT ST_Transform(geom => g, to_srid => 3857::int) FROM t",
            "SELECT ST_Transform(a.g, ST_SRID(b.g)) FROM a, b",
            "SELECT ST_Transform(g, zone::int) FROM t",
            "SELECT ST_Transform(g, 'EPSG:25832') FROM t",
            "SELECT ST_Transform(g, '+init=epsg:4326', 3857) FROM t",
            "SELECT ST_Transform(g, '+proj=utm +zone=32 +ellps=GRS80 +no_defs') FROM t",
            "SELECT ST_Transform(g, '+proj=merc +a=6378137 +nadgrids=@null +wktext')",
            "SELECT ST_TransformPipeline(g, 'urn:ogc:def:coordinateOperation:EPSG::1')",
        ),
    ),
    "sql/geometry-size": Rule(
        check_sql,
        (
            "SELECT ST_GeneratePoints(g, 100000000) FROM t",
            "SELECT ST_GeneratePoints(g, 10 ^ 8) FROM t",
            "SELECT ST_GeneratePoints(area => g, npoints => 1000000) FROM t",
            "SELECT ST_Buffer(g, 10, 20000000) FROM t",
            "SELECT ST_Buffer(g, 10, 'endcap=flat quad_segs=100000000') FROM t",
            "SELECT ST_Buffer(g, 10, 'quad_segs=1000' || '0000') FROM t",
            "SELECT public.st_buffer(g, 10, options => 'QUAD_SEGS = 99999') FROM t",
            "SELECT ST_MinimumBoundingCircle(g, n) FROM t",
            "SELECT ST_HausdorffDistance(g, h, 0.0000001) FROM t",
            "SELECT ST_OffsetCurve(g, 1, 'quad_segs=1000000') FROM t",
            "SELECT ST_CurveToLine(g, 100000000) FROM t",
            "SELECT ST_GeoHash(ST_Point(1, 1), 500000000)",
            "SELECT ST_GeoHash(g, maxchars => n) FROM t",
            "SELECT ST_LineInterpolatePoints(g, 0.00000001) FROM t",
            "SELECT ST_LineInterpolatePoints(g, 0.00000001, true) FROM t",
        ),
        (
            "SELECT ST_GeneratePoints(g, 500, 42) FROM t",
            "SELECT ST_Buffer(g, radius * 2) FROM t",
            "SELECT ST_Buffer(g::geography, 1000) FROM t",
            "SELECT ST_Buffer(g, 10, 8) FROM t",
            "SELECT ST_Buffer(g, 10, 'quad_segs=16 join=mitre mitre_limit=5.0')",
            "SELECT ST_Buffer(g, 10, 'endcap=square') FROM t",
            "SELECT ST_MinimumBoundingCircle(g) FROM t",
            "SELECT ST_HausdorffDistance(g, h, 0.5), ST_FrechetDistance(g, h) FROM t",
            "SELECT ST_CurveToLine(g, 32) FROM t",
            "SELECT ST_GeoHash(g), ST_GeoHash(g, 8) FROM t",
            "SELECT ST_LineInterpolatePoints(g, 0.25, true) FROM t",
        ),
    ),
    "sql/outline": Rule(
        check_sql,
        ("SELECT polygon(5000, circle '((0,0),1)')", "SELECT (a || b)::polygon FROM t"),
        ("SELECT polygon(12, circle '((0,0),1)')", "SELECT area::polygon FROM t"),
    ),
    "sql/set": Rule(
        check_sql,
        (
            "SELECT translate(a, repeat('b', 5000), '') FROM t",
            "SELECT ltrim(a, repeat(b, 9)) FROM t",
        ),
        ("SELECT trim(a), ltrim(a, '0'), rtrim(a, b), translate(a, 'é', 'e') FROM t",),
    ),
    "sql/length": Rule(
        check_sql,
        ("SELECT format('%100000s', 1)",),
        ("SELECT format('%20s of %-5s', 1, 2)", "SELECT format('100000%%')"),
    ),
    "read-only/statement": Rule(
        check_sql,
        ("DELETE FROM t", "COPY t TO STDOUT", "SET a = 1", "EXPLAIN DELETE FROM t"),
        ("TABLE t", "VALUES (1)", "EXPLAIN SELECT 1", "SELECT 'DELETE FROM t'"),
    ),
    "read-only/clause": Rule(
        check_sql,
        (
            "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
            "SELECT * INTO u FROM t",
            "SELECT * FROM t FOR UPDATE",
        ),
        ("WITH d AS (SELECT * FROM t) SELECT * FROM d", "SELECT for_update FROM t"),
    ),
    "read-only/explain": Rule(
        check_sql,
        ("EXPLAIN ANALYZE SELECT 1", "EXPLAIN (ANALYZE, BUFFERS) SELECT 1"),
        ("EXPLAIN (FORMAT JSON, VERBOSE) SELECT 1", "EXPLAIN (ANALYZE off) SELECT 1"),
    ),
    "read-only/function": Rule(
        check_sql,
        (
            "SELECT pg_sleep(1)",
            "SELECT pg_read_file('/etc/passwd')",
            "SELECT ours(1)",
            "SELECT (t).pg_sleep FROM t",
            "SELECT * FROM t TABLESAMPLE ours (1)",
        ),
        (
            "SELECT lower(name), count(*) FROM t GROUP BY 1",
            "SELECT st_area(geom) FROM t",
            "SELECT t.pg_rating FROM t",
            "SELECT * FROM t TABLESAMPLE system (1)",
        ),
    ),
    "read-only/setting": Rule(
        check_sql,
        ("SHOW data_directory", "SELECT current_setting(name) FROM t"),
        ("SHOW timezone", "SELECT current_setting('server_version')"),
    ),
    "read-only/relation": Rule(
        check_sql,
        ("SELECT * FROM pg_authid", "SELECT * FROM pg_catalog.pg_shadow"),
        ("SELECT rolname FROM pg_roles", "SELECT * FROM ours.pg_authid_of_ours"),
    ),
    "read-only/column": Rule(
        check_sql,
        (
            "SELECT query FROM pg_stat_activity",
            "SELECT * FROM pg_roles",
            "SELECT a FROM pg_stat_activity a",
        ),
        (
            "SELECT state, count(*) FROM pg_stat_activity GROUP BY 1",
            "SELECT query FROM searches",
            "SELECT rolname FROM pg_roles",
        ),
    ),
    "read-only/operator": Rule(
        check_sql,
        ("SELECT 1 @#@ 2", "SELECT a OPERATOR(ours.=) b FROM t"),
        (
            "SELECT a OPERATOR(pg_catalog.=) b FROM t",
            "SELECT v <-> '[1]' FROM t ORDER BY v <-> '[1]'",
            "SELECT j -> 'a' ->> 'b', h ? 'k' FROM t",
        ),
    ),
    "read-only/cast": Rule(
        check_in_database,
        ("SELECT a::money_of_ours FROM t", "SELECT * FROM money_of_ours"),
        ("SELECT a::money FROM t", "SELECT money_of_ours FROM t"),
    ),
    "scope/schema": Rule(
        check_in_scope,
        ("SELECT * FROM hr.salaries", "SELECT * FROM pg_stats"),
        ("SELECT * FROM shop.orders", "SELECT relname FROM pg_catalog.pg_class"),
    ),
    "identity/explain": Rule(
        check_for_identity, ("EXPLAIN SELECT * FROM t",), ("SELECT explain FROM t",)
    ),
    "identity/statistics": Rule(
        check_for_identity,
        (
            "SELECT pg_table_size('t')",
            "SELECT reltuples FROM pg_class",
            "SELECT n_live_tup FROM pg_stat_user_tables",
        ),
        ("SELECT count(*) FROM t", "SELECT relname FROM pg_class"),
    ),
}

CYPHER = {
    "cypher/empty": Rule(check_cypher, ("", " ; ", "EXPLAIN"), ("RETURN 1;",)),
    "cypher/one-statement": Rule(
        check_cypher, ("RETURN 1; RETURN 2",), ("RETURN '; RETURN 2';",)
    ),
    "cypher/syntax": Rule(
        check_cypher,
        ("MATCH (n RETURN n", "SELECT 1"),
        ("MATCH (select) RETURN select", "RETURN '(n'"),
    ),
    "cypher/characters": Rule(
        check_cypher,
        ("RETURN '\0'", r"RETURN '\\u0041'"),
        (r"RETURN 'C:\\users\\1'", r"RETURN '\u0041'", "RETURN 'é😀'"),
    ),
    "cypher/size": Rule(
        check_cypher,
        (f"RETURN '{'x' * 16_400}'", "RETURN 1" + ",1" * 1_000),
        (f"RETURN '{'x' * 16_000}'", "RETURN 1" + ",1" * 400),
    ),
    "cypher/nesting": Rule(
        check_cypher,
        (f"RETURN {'[' * 41}{']' * 41}",),
        (f"RETURN {'[' * 20}{']' * 20}", f"RETURN '{'[' * 100}'"),
    ),
    "cypher/effort": Rule(
        check_unremembered,
        ("MATCH (n:A" + "|A" * 990 + ") RETURN n",),
        ("RETURN [x IN [1, 2] WHERE NOT x = 1 | x + 1]",),
    ),
    "cypher/prefix": Rule(
        check_cypher,
        ("PROFILE MATCH (n) RETURN n", "CYPHER planner=other RETURN 1"),
        ("EXPLAIN MATCH (n) RETURN n", "CYPHER 25 RETURN 1", "RETURN 'PROFILE'"),
    ),
    "read-only/clause": Rule(
        check_cypher,
        (
            "CREATE (n)",
            "MATCH (n) SET n.a = 1",
            "SHOW USERS",
            "LOAD CSV FROM 'file:///a' AS l RETURN l",
            "MATCH (n) CALL (n) { DELETE n } IN TRANSACTIONS RETURN 1",
        ),
        (
            "MATCH (create:`SET`) RETURN create.delete AS merge",
            "SHOW INDEXES YIELD name RETURN name",
            "CALL { MATCH (n) RETURN n } RETURN n",
        ),
    ),
    "read-only/procedure": Rule(
        check_cypher,
        ("CALL apoc.load.json('http://a')", "CALL dbms.killQuery('1')"),
        (
            "CALL db.labels()",
            "CALL `db`.`labels`() YIELD label RETURN label",
            "CALL dbms.components()",
        ),
    ),
    "read-only/function": Rule(
        check_cypher,
        ("RETURN file()", "RETURN apoc.cypher.runFirstColumnSingle('RETURN 1')"),
        ("RETURN apoc.text.join(['a'], ',')", "RETURN toUpper('a')"),
    ),
}

QDRANT = {
    "qdrant/name": Rule(
        check_collection_name,
        ("a/b", "..", "", "a\x00"),
        ("R&D notes (2024)", "C#_docs", "a.b", "Übersicht"),
    ),
    "read-only/collection": Rule(
        partial(check_collection_name, allowed=("docs",)), ("hr",), ("docs",)
    ),
    "qdrant/filter": Rule(
        check_filter,
        (
            {"all": []},
            {},
            condition(match={"is": 1}),
            condition(match={"value": 1}, range={"gt": 1}),
            {"must": [{"has_id": ["x"]}]},
        ),
        (
            condition(match={"value": 1}),
            condition(range={"gt": None, "lt": 2}),
            {"must": [{"has_id": ["2", 3]}], "should": None},
            {"min_should": {"conditions": [{"is_null": {"key": "a"}}], "min_count": 1}},
        ),
    ),
    "qdrant/filter-size": Rule(
        check_filter,
        (condition(match={"any": [*range(2_001)]}),),
        (condition(match={"any": [*range(1_900)]}),),
    ),
    "qdrant/filter-depth": Rule(check_filter, (nest_filter(40),), (nest_filter(8),)),
    "qdrant/filter-geo": Rule(
        check_filter,
        (
            condition(geo_radius={"center": {"lat": 91, "lon": 0}, "radius": 1}),
            condition(geo_radius={"center": {"lat": 0, "lon": 0}, "radius": 0}),
        ),
        (condition(geo_radius={"center": {"lat": -90, "lon": 180}, "radius": 1e6}),),
    ),
}


def declare_stage(stage: dict[str, Any]) -> str:
    """Return a declared statement of one stage."""
    return json.dumps({"aggregate": "orders", "pipeline": [stage]})


MONGODB = {
    "mongodb/name": Rule(
        check_collection,
        ("", "a$b", "a\0b", "x" * 256),
        ("orders", "R&D notes", "a.b", "x" * 255),
    ),
    "read-only/collection": Rule(
        partial(check_pipeline, allowed=("orders",)),
        (
            [{"$lookup": {"from": "hr", "as": "a"}}],
            [{"$unionWith": {"coll": "orders", "db": "hr"}}],
            [{"$facet": {"a": [{"$unionWith": "system.users"}]}}],
        ),
        ([{"$lookup": {"from": "orders", "as": "hr"}}], [{"$unionWith": "orders"}]),
    ),
    "read-only/stage": Rule(
        check_pipeline,
        ([{"$out": "a"}], [{"$facet": {"a": [{"$merge": "a"}]}}]),
        ([{"$match": {"out": 1}}], [{"$set": {"merge": 1}}], [{"$count": "out"}]),
    ),
    "read-only/operator": Rule(
        check_mongodb_filter,
        ({"$where": "1"}, {"a": {"$expr": {"$function": {}}}}),
        ({"where": "$where", "a": {"$gt": 1}}, {"$expr": {"$eq": ["$a", "$b"]}}),
    ),
    "read-only/variable": Rule(
        check_mongodb_filter,
        ({"$expr": {"$eq": ["$a", "$$USER_ROLES"]}},),
        ({"$expr": {"$eq": ["$a", "$$NOW"]}}, {"price": "costs $$USER_ROLES"}),
    ),
    "mongodb/filter": Rule(check_mongodb_filter, ([], "a", None), ({}, {"a": None})),
    "mongodb/projection": Rule(check_projection, ([], "a"), ({}, {"a": 1})),
    "mongodb/sort": Rule(
        check_sort,
        ([], {}, {"a": 2}, {"a": True}, {"$a": 1}),
        ({"a": 1, "b": -1}, {"score": {"$meta": "textScore"}}),
    ),
    "mongodb/pattern": Rule(
        check_mongodb_filter,
        ({"a": {"$regex": "x" * 1_001}},),
        ({"a": {"$regex": "^x" * 400}}, {"regex": {"$in": ["x" * 1_001]}}),
    ),
    "mongodb/size": Rule(
        check_pipeline,
        ([{"$match": {}}] * 101, [{"$unionWith": "a"}] * 11),
        ([{"$match": {}}] * 100, [{"$unionWith": "a"}] * 10),
    ),
    "mongodb/depth": Rule(
        check_mongodb_filter,
        (nest_filter(40, "$and", {"a": 1}),),
        (nest_filter(15, "$and", {"a": 1}),),
    ),
    "mongodb/pipeline": Rule(
        check_pipeline,
        ({"$match": {}}, [{}], [{"$match": {}, "$limit": 1}], ["$match"]),
        ([], [{"$match": {}}, {"$limit": 1}]),
    ),
    "mongodb/statement": Rule(
        read_declared,
        ("", "[]", '{"aggregate": "a"}', '{"aggregate": "a", "pipeline": NaN}'),
        ('{"aggregate": "a", "pipeline": []}',),
    ),
    "mongodb/parameter": Rule(
        read_declared,
        (
            declare_stage({"$limit": 1, "$project": {"a": {"$param": 1}}}),
            declare_stage({"$sort": {"$param": "a"}}),
            declare_stage({"$match": {"$where": {"$param": "a"}}}),
        ),
        (
            declare_stage({"$match": {"a": {"$param": "a"}}}),
            declare_stage({"$set": {"a": {"$concat": [{"$param": "a"}, "b"]}}}),
            declare_stage({"$limit": {"$param": "a"}}),
        ),
    ),
}

TABLE = {"sql": SQL, "cypher": CYPHER, "qdrant": QDRANT, "mongodb": MONGODB}

BESIDE = [
    (check_vector_name, "qdrant/name", "a/b", "image"),
    (check_in_database, "read-only/function", "SELECT lower(a)", "SELECT upper(a)"),
    (
        check_in_database,
        "read-only/function",
        "SELECT ours.lower(a)",
        "SELECT pg_catalog.lower(a)",
    ),
    (
        check_in_database,
        "read-only/operator",
        "SELECT CASE a WHEN b THEN 1 END FROM t",
        "SELECT CASE WHEN a IS NULL THEN 1 END FROM t",
    ),
    (declare, "sql/parameter", "SELECT 1", "SELECT $1"),
    (
        partial(check_found, schemas=SCHEMAS),
        "scope/schema",
        [{"schema": "hr", "name": "salaries"}],
        [{"schema": "shop", "name": "orders"}],
    ),
    (
        partial(check_collection, allowed=("orders",)),
        "read-only/collection",
        "hr",
        "orders",
    ),
    (check_mongodb_filter, "mongodb/name", {"a\0": 1}, {"a": "\0"}),
]
"""Further places where a rule of the table is decided."""


def list_rules(guard: str) -> set[str]:
    """Return the rules that a guard's code names."""
    return {
        str(node.args[0].value)
        for path in (GUARDS / guard).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Rejected"
        and isinstance(node.args[0], ast.Constant)
    }


@pytest.mark.parametrize("guard", TABLE)
def test_every_rule_of_a_guard_is_in_the_table(guard: str) -> None:
    assert list_rules(guard) == set(TABLE[guard])


@pytest.mark.parametrize("guard", TABLE)
def test_every_rule_of_the_table_has_both_sides(guard: str) -> None:
    assert [name for name, rule in TABLE[guard].items() if not rule.refused] == []
    assert [name for name, rule in TABLE[guard].items() if not rule.passed] == []


def list_cases(side: str) -> Iterator[Any]:
    for rules in TABLE.values():
        for name, rule in rules.items():
            for given in getattr(rule, side):
                yield pytest.param(
                    rule.check, name, given, id=f"{name}: {str(given)[:50]!r}"
                )
    for check, name, refused, passed in BESIDE:
        given = refused if side == "refused" else passed
        yield pytest.param(check, name, given, id=f"{name}: {str(given)[:50]!r}")


@pytest.mark.parametrize(("check", "name", "given"), [*list_cases("refused")])
def test_what_a_rule_must_refuse_is_refused_by_it(
    check: Check, name: str, given: Any
) -> None:
    with pytest.raises(Rejected) as refusal:
        check(given)

    assert refusal.value.rule == name


@pytest.mark.parametrize(("check", "name", "given"), [*list_cases("passed")])
def test_what_is_close_to_a_rule_passes(check: Check, name: str, given: Any) -> None:  # noqa: ARG001
    check(given)
