"""An EXPLAIN's plan as rows, the operator that runs last first."""

from collections.abc import Iterator, Mapping
from typing import Any

PLAN_COLUMNS = ("operator", "details", "estimated_rows")


def walk_plan(plan: Mapping[str, Any] | None, depth: int = 0) -> Iterator[list[object]]:
    """Yield one row for each operator; indentation shows what feeds what."""
    if plan is None:
        return
    arguments = plan.get("args") or {}
    operator = str(plan.get("operatorType", "")).partition("@")[0]
    yield [
        f"{'  ' * depth}{operator}",
        str(arguments.get("Details", "")),
        arguments.get("EstimatedRows"),
    ]
    for child in plan.get("children") or ():
        yield from walk_plan(child, depth + 1)
