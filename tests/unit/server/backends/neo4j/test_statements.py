"""The tools' own statements pass the guard that callers' statements must pass."""

import pytest

from mcphub_server.backends.neo4j import statements
from mcphub_server.backends.neo4j.plans import walk_plan
from mcphub_server.errors import Rejected
from mcphub_server.guards.cypher.check import check_cypher


@pytest.mark.parametrize(
    "text",
    [
        statements.LABELS,
        statements.NODE,
        *statements.RELATIONSHIPS.values(),
        statements.build_list_nodes("Person"),
        statements.build_list_nodes("two words: ü"),
    ],
)
def test_own_statements_only_read(text: str) -> None:
    assert check_cypher(text).text == text


@pytest.mark.parametrize("label", ["a`b", "a\\u0060b", "a\nb", "x" * 1001])
def test_labels_that_could_end_their_quotes_are_refused(label: str) -> None:
    with pytest.raises(Rejected):
        statements.build_list_nodes(label)


def test_a_plan_becomes_indented_rows() -> None:
    plan = {
        "operatorType": "ProduceResults@neo4j",
        "args": {"Details": "n", "EstimatedRows": 3.0},
        "children": [{"operatorType": "AllNodesScan@neo4j", "args": {}}],
    }

    assert list(walk_plan(plan)) == [
        ["ProduceResults", "n", 3.0],
        ["  AllNodesScan", "", None],
    ]
