"""Whatever comes in, a guard answers or refuses, and soon."""

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcphub_server.errors import ToolFailure
from mcphub_server.guards.cypher.check import check_cypher
from mcphub_server.guards.qdrant.filters import check_filter
from mcphub_server.guards.qdrant.names import check_collection_name, check_point_id
from mcphub_server.guards.qdrant.vectors import check_vector
from mcphub_server.guards.sql.check import check_sql
from tests.support.effort import at_most

FUZZ = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)

SQL_WORDS = """
SELECT FROM WHERE WITH RECURSIVE AS ( ) , ; * . :: + - = <> || a b t pg_sleep lower $1
'x' "y" 1 1.5 NULL CASE WHEN THEN ELSE END INSERT INTO VALUES DELETE EXPLAIN ANALYZE
SHOW TABLE UNION ALL [ ] OVER PARTITION BY ORDER LIMIT -- /* */ $$ U&"a" E'\\n' JOIN ON
LATERAL FILTER WITHIN GROUP COPY SET DO CALL OPERATOR ARRAY ROW CAST :: int
""".split()

CYPHER_WORDS = """
MATCH RETURN WITH CALL { } ( ) [ ] - -> <- : n m X , . * | 'x' "y" `z` 1 1.5 $p CREATE
DELETE SET MERGE UNWIND AS WHERE EXISTS COUNT IN TRANSACTIONS USE LOAD CSV SHOW ; CASE
WHEN THEN END apoc.load.json db.labels \\u0043 // /* */ EXPLAIN ORDER BY LIMIT UNION
""".split()

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["must", "should", "key", "match", "value", "any", "range"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


def answers_soon(check, value):
    # a refusal is an answer too; anything else is not
    with at_most(250), suppress(ToolFailure):
        check(value)


def sentences(words):
    return st.lists(st.sampled_from(words), max_size=60).map(" ".join)


def warm_up():
    """Load the grammar's tables, which the first statement pays for."""
    check_cypher("MATCH (n) RETURN n")


@FUZZ
@given(st.text(max_size=400) | sentences(SQL_WORDS))
def test_sql_is_answered(text):
    answers_soon(check_sql, text)


@FUZZ
@given(st.text(max_size=200) | sentences(CYPHER_WORDS))
def test_cypher_is_answered(text):
    warm_up()

    answers_soon(check_cypher, text)


@FUZZ
@given(VALUES)
def test_filters_vectors_and_names_are_answered(value):
    for check in (check_filter, check_vector, check_collection_name, check_point_id):
        answers_soon(check, value)
