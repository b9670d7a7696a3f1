"""No statement keeps the server busy: what is read is bounded in steps."""

from contextlib import suppress

import pytest

from mcphub_server.errors import Rejected
from mcphub_server.guards.cypher import budget as budgets
from mcphub_server.guards.cypher.budget import MAX_STEPS, Budget
from mcphub_server.guards.cypher.check import check_cypher
from mcphub_server.guards.cypher.parse import parse
from tests.support.effort import at_most

MOST_UNITS = 1_250
"""Ten times what the whole budget costs."""


def nest(opening: str, inner: str, closing: str, depth: int = 20) -> str:
    return opening * depth + inner + closing * depth


NESTED = {
    "list comprehensions": "RETURN " + nest("[x IN ", "[1]", "]"),
    "two of them": "RETURN " + ", ".join([nest("[x IN ", "[1]", "]", 10)] * 2),
    "ten of them": "RETURN " + ", ".join([nest("[x IN ", "[1]", "]")] * 10),
    "their conditions": "RETURN " + nest("[x IN [1] WHERE ", "true", " | 1]"),
    "with parentheses": "RETURN " + nest("[x IN (", "[1]", ")]", 19),
    "with maps": "RETURN " + nest("[x IN {a: ", "[1]", "}]", 19),
    "with CASE": "RETURN " + nest("[x IN CASE WHEN true THEN ", "[1]", " END]"),
    "pattern comprehensions": "RETURN " + nest("[(a)-->(b) WHERE ", "true", " | 1]"),
    "parentheses": "RETURN " + nest("(", "a", ")", 38),
    "patterns in parentheses": "RETURN " + nest("(", "a:B", ")", 38) + "-->()",
    "maps": "RETURN " + nest("{a: ", "1", "}", 38),
    "map projections": "RETURN " + nest("n {a: ", "1", "}", 38),
    "CASE": "RETURN " + nest("CASE WHEN true THEN ", "1", " END"),
    "CASE of a value": "RETURN " + nest("CASE ", "1", " WHEN 1 THEN 1 END"),
    "reduce": "RETURN " + nest("reduce(a = ", "1", ", x IN [1] | a)", 38),
    "list predicates": "RETURN " + nest("any(x IN ", "[1]", " WHERE true)", 38),
    "EXISTS": "RETURN " + nest("EXISTS { MATCH (n) WHERE ", "true", " }", 38),
    "COLLECT": "RETURN " + nest("COLLECT { RETURN ", "1", " }", 38),
    "subqueries": nest("CALL () { ", "RETURN 1 AS x", " } RETURN x", 38),
    "label expressions": "MATCH (n:" + nest("!(", "A", "|B)", 38) + ") RETURN n",
    "quantified paths": "MATCH " + nest("(", "(a)-->(b)", "){1,2}", 38) + " RETURN 1",
    "shortest paths": "MATCH p = "
    + nest("shortestPath((a)-[*]->(b {x: ", "1", "}))")
    + " RETURN 1",
}
REPEATED = {
    "NOT": "RETURN " + "NOT " * 1_900 + "true",
    "labels": "MATCH (n:A" + "|A" * 990 + ") RETURN n",
    "labels of a predicate": "MATCH (n) WHERE n:A" + "|A" * 990 + " RETURN n",
    "types of a relationship": "MATCH ()-[r:A" + "|A" * 990 + "]->() RETURN r",
    "types of a value": "RETURN 1 IS :: INT" + " | INT" * 900,
    "columns": "RETURN a" + ", a" * 990,
    "an order": "RETURN 1 ORDER BY a" + ", a" * 990,
    "flat CASE": "RETURN " + ", ".join(["CASE WHEN 1 THEN 1 END"] * 300),
    "paths": "RETURN (a)" + "-->(a)" * 240,
}
LETTERS = {
    "open comments": "RETURN 1 " + "/* " * 5_000,
    "open quotes": "RETURN " + "'\\" * 8_000,
    "letters beyond ASCII": "RETURN " + "日" * 5_400,
    "words beyond ASCII": "RETURN " + ", ".join(["é"] * 990),
    "signs that are unknown": "RETURN " + "§" * 8_000,
    "hidden comments": "MATCH (n:A" + "|A" * 300 + "/**/" * 1_300 + ") RETURN n",
}


def spoil(cases: dict[str, str]) -> dict[str, str]:
    """Put a mistake at the end: only there the slow mode is needed."""
    return {f"{name}, and a mistake": f"{text} ERR" for name, text in cases.items()}


STATEMENTS = spoil(NESTED) | spoil(REPEATED) | REPEATED | LETTERS


@pytest.mark.parametrize(
    "cypher", [pytest.param(text, id=name) for name, text in STATEMENTS.items()]
)
def test_reading_a_statement_ends_within_its_budget(cypher: str) -> None:
    budget = Budget()
    with at_most(MOST_UNITS), suppress(Rejected):
        parse(cypher, budget)

    assert budget.steps >= -len(cypher)


@pytest.mark.parametrize(
    ("cypher", "advice"),
    [
        pytest.param(REPEATED["labels"], "Repeat less", id="labels"),
        pytest.param(NESTED["list predicates"], "WITH before", id="lists"),
        pytest.param(LETTERS["signs that are unknown"], "Nest less", id="signs"),
    ],
)
def test_a_refusal_says_what_to_write_instead(cypher: str, advice: str) -> None:
    budgets.forget_predictions()

    with pytest.raises(Rejected, match=advice) as refusal:
        check_cypher(cypher)

    assert refusal.value.rule == "cypher/effort"


def test_a_mistake_in_what_is_costly_is_told_with_its_place() -> None:
    with pytest.raises(Rejected, match=r"line 1, column \d+.*nest less") as refusal:
        check_cypher(NESTED["list comprehensions"] + " ERR")

    assert refusal.value.rule == "cypher/syntax"


@pytest.mark.parametrize("steps", [10, 1_000, 10_000])
def test_the_budget_is_what_ends_it(steps: int) -> None:
    budgets.forget_predictions()
    budget = Budget(steps)

    with pytest.raises(Rejected) as refusal:
        parse(NESTED["list comprehensions"], budget)

    assert refusal.value.rule == "cypher/effort"
    assert -100 < budget.steps < 0


RICH = (
    "MATCH (p:Person {name: $name})-[r:KNOWS|LIKES*1..3]->(f:Person) "
    "WHERE f.age > 30 AND NOT f.name STARTS WITH 'x' "
    "AND EXISTS { (f)-[:LIVES_IN]->(:City {name: 'Rome'}) } "
    "WITH p, f, count(*) AS c, collect(DISTINCT {n: f.name, "
    "a: [x IN nodes(r) WHERE x.k IS NOT NULL | x.name]}) AS l "
    "ORDER BY c DESC SKIP 5 LIMIT 10 OPTIONAL MATCH (f)-[w:WORKS_AT]->(o:Org) "
    "CALL (f) { MATCH (f)-->(m) RETURN count(m) AS k } "
    "WITH p, f, k, CASE WHEN k > 3 THEN 'many' WHEN k = 0 THEN 'none' ELSE 'few' END "
    "AS kind, reduce(s = 0, x IN l | s + x.a) AS total "
) * 3 + (
    "UNWIND [1, 2, 3] AS u RETURN u, kind, total, date.truncate('month', date()), "
    "f {.name, friends: [(f)-[:KNOWS]->(g) WHERE g.x = 1 | g.name]}"
)
LARGE = {
    "all of Cypher at once": RICH,
    "a list of 600 ids": "MATCH (n) WHERE n.id IN ["
    + ", ".join(f"'{number:08}'" for number in range(600))
    + "] RETURN n",
    "150 conditions": "MATCH (n) WHERE "
    + " OR ".join(f"n.id = {number}" for number in range(150))
    + " RETURN n",
    "100 labels": "MATCH (n:" + "|".join(f"L{n}" for n in range(100)) + ") RETURN n",
    "5,000 letters beyond ASCII": "RETURN '" + "日本語学者" * 1_000 + "' AS 名前",
    "three comprehensions": "MATCH (n) RETURN "
    "[x IN [y IN [z IN n.l WHERE z > 1 | z * 2] WHERE y < 5 | y + 1]"
    " | {a: x, b: [w IN range(1, x) | w ^ 2]}] AS r",
}


@pytest.mark.parametrize(
    "cypher", [pytest.param(text, id=name) for name, text in LARGE.items()]
)
def test_a_large_statement_passes_where_nothing_is_remembered(cypher: str) -> None:
    budgets.forget_predictions()
    budget = Budget()

    assert parse(cypher, budget)

    assert budget.steps > MAX_STEPS // 20


def test_what_is_remembered_is_bounded() -> None:
    budgets.forget_predictions()
    peaks, kept = [], []

    for name in ("reduce", "list predicates", "EXISTS", "their conditions", "COLLECT"):
        with suppress(Rejected):
            parse(NESTED[name])
        peaks.append(budgets.count_remembered())
        parse("RETURN 1")
        kept.append(budgets.count_remembered())

    assert max(peaks) > budgets.MAX_REMEMBERED
    assert max(kept) <= budgets.MAX_REMEMBERED
