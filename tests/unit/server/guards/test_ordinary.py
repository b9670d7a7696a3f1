"""What users write every day passes the guards; a database runs it in integration."""

from collections import Counter
from typing import Any

import pytest

from mcphub_server.guards.cypher.check import check_cypher
from mcphub_server.guards.mongodb import expressions
from mcphub_server.guards.mongodb.names import check_collection
from mcphub_server.guards.mongodb.pipeline import check_pipeline
from mcphub_server.guards.qdrant.filters import check_filter
from mcphub_server.guards.qdrant.names import check_collection_name, check_vector_name
from mcphub_server.guards.qdrant.vectors import check_vector
from mcphub_server.guards.sql.check import check_sql
from tests.support.ordinary import read_finds, read_searches, read_statements

SQL = read_statements("postgres.sql")
NEWER_SQL = [
    *read_statements("postgres-newer.sql"),
    *read_statements("extensions.sql"),
]
CYPHER = read_statements("neo4j.cypher")
SEARCHES = read_searches()
FINDS = read_finds()
COLLECTIONS = ("orders", "customers")


def test_the_corpora_are_large_and_repeat_nothing() -> None:
    assert len(SQL) >= 300
    assert len(CYPHER) >= 400
    assert len(SEARCHES) >= 120
    assert len(FINDS) >= 50
    repeated = Counter([*SQL, *NEWER_SQL, *CYPHER, *map(str, SEARCHES + FINDS)])
    assert [each for each, count in repeated.items() if count > 1] == []


@pytest.mark.parametrize("sql", [*SQL, *NEWER_SQL])
def test_ordinary_sql_passes(sql: str) -> None:
    assert check_sql(sql).text


@pytest.mark.parametrize("cypher", CYPHER)
def test_ordinary_cypher_passes(cypher: str) -> None:
    assert check_cypher(cypher).text


@pytest.mark.parametrize("search", SEARCHES, ids=str)
def test_an_ordinary_search_passes(search: dict[str, Any]) -> None:
    assert check_collection_name(search["collection"], ()) == search["collection"]
    if "filter" in search:
        check_filter(search["filter"])
    if "query_vector" in search:
        check_vector(search["query_vector"])
    if "using" in search:
        check_vector_name(search["using"])


@pytest.mark.parametrize("find", FINDS, ids=str)
def test_an_ordinary_filter_or_pipeline_passes(find: dict[str, Any]) -> None:
    check_collection(find["collection"], COLLECTIONS)
    if "pipeline" in find:
        check_pipeline(find["pipeline"], COLLECTIONS)
    for part, check in (
        ("filter", expressions.check_filter),
        ("projection", expressions.check_projection),
        ("sort", expressions.check_sort),
    ):
        if part in find:
            check(find[part])
