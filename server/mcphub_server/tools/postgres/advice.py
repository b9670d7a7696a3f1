"""What a plan tells to someone who wants the statement to be faster. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Plan = Mapping[str, Any]

LARGE_TABLE = 10_000
"""Rows; reading fewer at once is as good as an index."""

SMALL_SHARE = 0.1
LARGE_SORT = 100_000
MOST_NODES = 200
LONGEST_CONDITION = 300

_CONDITIONS = ("Index Cond", "Hash Cond", "Merge Cond", "Join Filter", "Filter")


def walk(plan: Plan, depth: int = 0) -> Iterator[tuple[Plan, int]]:
    """Yield each node of a plan with its depth, in the planner's order."""
    yield plan, depth
    for child in plan.get("Plans") or ():
        yield from walk(child, depth + 1)


def list_tables(plan: Plan) -> list[tuple[str, str]]:
    """Return schema and name of the tables in a plan, each once."""
    found = [
        (str(node["Schema"]), str(node["Relation Name"]))
        for node, _ in walk(plan)
        if "Relation Name" in node and "Schema" in node
    ]
    return list(dict.fromkeys(found))


def list_indexes(plan: Plan) -> list[str]:
    """Return the names of the indexes that a plan uses."""
    return sorted({str(n["Index Name"]) for n, _ in walk(plan) if "Index Name" in n})


def describe_plan(plan: Plan) -> list[str]:
    """Return a plan as lines; indentation shows what feeds what."""
    nodes = [*walk(plan)]
    lines = [f"{'  ' * depth}{describe_node(node)}" for node, depth in nodes]
    if len(lines) > MOST_NODES:
        return [*lines[:MOST_NODES], f"… and {len(lines) - MOST_NODES} more nodes"]
    return lines


def describe_node(node: Plan) -> str:
    """Return one node as a line."""
    parts = [str(node.get("Node Type", ""))]
    if "Index Name" in node:
        parts.append(f"using {node['Index Name']}")
    if "Relation Name" in node:
        parts.append(f"on {find_name(node)}")
    parts.append(f"(rows {node.get('Plan Rows')}, cost {node.get('Total Cost')})")
    parts += [
        f"{name}: {str(node[name])[:LONGEST_CONDITION]}"
        for name in _CONDITIONS
        if name in node
    ]
    return " ".join(parts)


def find_name(node: Plan) -> str:
    """Return the table of a node, with its schema."""
    schema = node.get("Schema")
    name = str(node.get("Relation Name"))
    return f"{schema}.{name}" if schema else name


def advise(plan: Plan, rows: Mapping[str, int]) -> list[str]:
    """Return advice, each piece once.

    Args:
        plan: The plan.
        rows: The estimated rows of its tables; below 0 for one never analyzed.
    """
    advice = [
        f"{name} has never been analyzed: run ANALYZE {name}; the planner guesses."
        for name, number in rows.items()
        if number < 0
    ]
    for node, _ in walk(plan):
        advice += advise_node(node, rows)
    return list(dict.fromkeys(advice))


def advise_node(node: Plan, rows: Mapping[str, int]) -> Iterator[str]:
    """Yield what one node gives reason for."""
    kind = node.get("Node Type")
    if kind == "Seq Scan" and "Filter" in node:
        yield from advise_scan(node, rows.get(find_name(node), 0))
    if kind in {"Sort", "Incremental Sort"} and count(node) > LARGE_SORT:
        keys = ", ".join(map(str, node.get("Sort Key") or ()))
        yield (
            f"It sorts about {count(node):,} rows by {keys}: an index in this order "
            "spares that."
        )
    if kind == "Nested Loop":
        yield from advise_loop(node.get("Plans") or (), rows)


def advise_scan(node: Plan, total: int) -> Iterator[str]:
    """Yield advice about a table that is read whole for a few of its rows."""
    if total >= LARGE_TABLE and count(node) <= total * SMALL_SHARE:
        condition = str(node["Filter"])[:LONGEST_CONDITION]
        yield (
            f"It reads all of {find_name(node)} (about {total:,} rows) to find about "
            f"{count(node):,}: an index on the columns in {condition} may help; try it "
            "with hypothetical_indexes."
        )


def advise_loop(sides: Sequence[Plan], rows: Mapping[str, int]) -> Iterator[str]:
    """Yield advice about a join that reads a table again and again."""
    inner = [each for each in sides if each.get("Parent Relationship") == "Inner"]
    for node in inner:
        total = rows.get(find_name(node), 0)
        if node.get("Node Type") == "Seq Scan" and total >= LARGE_TABLE:
            yield (
                f"It reads all of {find_name(node)} (about {total:,} rows) for each "
                "row that it joins: an index on the join's column may help."
            )


def count(node: Plan) -> int:
    """Return how many rows the planner expects of a node."""
    return int(node.get("Plan Rows") or 0)


def compare(before: Plan, after: Plan, names: Sequence[str]) -> dict[str, Any]:
    """Say what indexes that do not exist would change.

    Args:
        before: The plan without them.
        after: The plan with them.
        names: The definitions of those that were tried.
    """
    used = [name for name in list_indexes(after) if name.startswith("<")]
    old, new = float(before["Total Cost"]), float(after["Total Cost"])
    if used:
        said = (
            f"The planner would use {len(used)} of them: cost {old:g} becomes {new:g}."
        )
    else:
        said = "The planner would use none of them."
    return {"tried": list(names), "total_cost": new, "used": used, "result": said}
