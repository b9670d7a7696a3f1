"""What users write every day passes the guards; a database runs it in integration."""

from collections import Counter
from typing import Any

import pytest

from mcphub_server.guards.cypher.check import check_cypher
from mcphub_server.guards.qdrant.filters import check_filter
from mcphub_server.guards.qdrant.names import check_collection_name, check_vector_name
from mcphub_server.guards.qdrant.vectors import check_vector
from mcphub_server.guards.sql.check import check_sql
from tests.support.ordinary import read_searches, read_statements

SQL = read_statements("postgres.sql")
NEWER_SQL = read_statements("postgres-newer.sql")
CYPHER = read_statements("neo4j.cypher")
SEARCHES = read_searches()


def test_the_corpora_are_large_and_repeat_nothing() -> None:
    assert len(SQL) >= 300
    assert len(CYPHER) >= 300
    assert len(SEARCHES) >= 60
    repeated = Counter([*SQL, *NEWER_SQL, *CYPHER, *map(str, SEARCHES)])
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
