"""What a plan gives reason to advise, and what it does not."""

from typing import Any

import pytest

from mcphub_server.tools.postgres.advice import (
    MOST_NODES,
    advise,
    compare,
    describe_plan,
    list_indexes,
    list_tables,
)


def scan(**changes: Any) -> dict[str, Any]:
    return {
        "Node Type": "Seq Scan",
        "Schema": "shop",
        "Relation Name": "orders",
        "Plan Rows": 40,
        "Total Cost": 800.5,
        "Filter": "(customer_id = 7)",
        **changes,
    }


def loop(inner: dict[str, Any]) -> dict[str, Any]:
    outer = {"Node Type": "Result", "Parent Relationship": "Outer"}
    plans = [outer, {**inner, "Parent Relationship": "Inner"}]
    return {"Node Type": "Nested Loop", "Plan Rows": 1, "Total Cost": 9, "Plans": plans}


SORT = {"Node Type": "Sort", "Sort Key": ["placed"], "Plan Rows": 500_000}


@pytest.mark.parametrize(
    ("plan", "rows", "said"),
    [
        pytest.param(scan(), 40_000, ["reads all of shop.orders"], id="few of many"),
        pytest.param(scan(), 400, [], id="few of few"),
        pytest.param(scan(**{"Plan Rows": 30_000}), 40_000, [], id="most of many"),
        pytest.param(
            {**scan(), "Node Type": "Index Scan"}, 40_000, [], id="by an index"
        ),
        pytest.param(scan(), -1, ["never been analyzed"], id="no statistics"),
        pytest.param(
            SORT, 0, ["sorts about 500,000 rows by placed"], id="a large sort"
        ),
        pytest.param({**SORT, "Plan Rows": 500}, 0, [], id="a small sort"),
    ],
)
def test_advice_has_a_reason(plan: dict[str, Any], rows: int, said: list[str]) -> None:
    advice = advise(plan, {"shop.orders": rows})

    assert len(advice) == len(said)
    assert all(part in text for part, text in zip(said, advice, strict=True))


def test_a_join_that_reads_a_table_for_each_row_is_told() -> None:
    inner = scan()
    del inner["Filter"]

    (advice,) = advise(loop(inner), {"shop.orders": 40_000})

    assert "for each row that it joins" in advice


def test_a_plan_is_told_as_lines_that_are_bounded() -> None:
    plan = loop(scan())
    wide = {"Node Type": "Append", "Plans": [scan() for _ in range(MOST_NODES * 2)]}

    lines = describe_plan(plan)

    assert lines[2] == (
        "  Seq Scan on shop.orders (rows 40, cost 800.5) Filter: (customer_id = 7)"
    )
    assert len(describe_plan(wide)) == MOST_NODES + 1


def test_tables_and_indexes_of_a_plan_are_listed_once() -> None:
    plan = {"Plans": [scan(), scan(), {"Index Name": "a"}, {"Index Name": "a"}]}

    assert list_tables(plan) == [("shop", "orders")]
    assert list_indexes(plan) == ["a"]


def test_an_index_that_is_not_used_is_said_to_be_of_no_use() -> None:
    used = {"Node Type": "Index Scan", "Index Name": "<1>btree", "Total Cost": 8}

    better = compare(scan(), used, ["CREATE INDEX …"])
    same = compare(scan(), scan(), ["CREATE INDEX …"])

    assert better["used"] == ["<1>btree"]
    assert "800.5 becomes 8" in better["result"]
    assert same["result"] == "The planner would use none of them."
