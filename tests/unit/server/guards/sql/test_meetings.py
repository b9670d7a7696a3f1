"""Where values of one type are made of values of several, by the text alone."""

import pytest

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql.check import check_sql
from mcphub_server.guards.sql.names import check_names
from mcphub_server.guards.sql.statement import UserDefinedNames

DEFINED = UserDefinedNames(
    checks=frozenset({"even", "_even", "posts"}),
    checked_columns=frozenset({"score", "tags"}),
    containers=frozenset({"tags"}),
)


def passes(sql: str) -> bool:
    try:
        check_names(check_sql(sql, 1 if "$1" in sql else 0).uses, DEFINED)
    except Rejected as rejected:
        return "base type" not in str(rejected)
    return True


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT title FROM posts WHERE title = 'x' AND score = '2'",
        "SELECT tags FROM posts WHERE id = $1",
        "SELECT tags && '{a}' FROM other",
        "SELECT tags::text[] && '{a}' FROM posts",
        "SELECT COALESCE(tags, tags) FROM posts",
        "SELECT COALESCE(tags, NULL), COALESCE(score, 0) FROM posts",
        "SELECT 'a' || cardinality(tags) FROM posts",
        "SELECT CASE WHEN EXISTS (SELECT tags FROM posts) THEN 'a' ELSE 'b' END",
    ],
)
def test_values_that_stay_what_they_are_pass(sql: str) -> None:
    assert passes(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT tags && '{a}' FROM posts",
        "SELECT tags && $1 FROM posts",
        "SELECT posts = '(1)' FROM posts",
        "SELECT array_agg(score) = '{2}' FROM posts",
        "SELECT COALESCE(tags, other_tags) FROM posts",
        "SELECT COALESCE(posts.tags, other.tags) FROM posts, other",
        "SELECT tags FROM posts UNION SELECT other_tags FROM other",
        "SELECT a.v = '{2}' FROM (SELECT tags FROM posts) AS a(v)",
        "SELECT * FROM posts UNION SELECT 1, '{2}'",
    ],
)
def test_values_that_may_become_checked_are_refused(sql: str) -> None:
    assert not passes(sql)


def test_a_long_chain_of_operators_is_refused_before_it_costs_much() -> None:
    chain = "SELECT title" + " || 'x'" * 1_200

    assert not passes(f"{chain} FROM posts")
    assert passes(f"{chain} FROM other")
