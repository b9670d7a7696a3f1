"""What declared tools and access rules cost: a hub with many beside one with none."""

from typing import Any

TOOLS = 50
RULES = 20


def build_tools() -> list[dict[str, Any]]:
    """Return declared tools with a few parameters each."""
    return [
        {
            "name": f"tool_{number:02d}",
            "description": f"Orders of one customer since a day, variant {number}.",
            "backend": "postgres",
            "statement": "SELECT 1 AS one WHERE $1 > 0 AND $2 > date '2020-01-01'",
            "parameters": [
                {"name": "customer", "type": "integer", "minimum": 1},
                {"name": "since", "type": "date", "default": "2020-01-01"},
            ],
        }
        for number in range(TOOLS)
    ]


def build_rules() -> dict[str, Any]:
    """Return rules of which the last one allows the client everything."""
    others = [
        {"clients": [f"client-{number}"], "tools": [f"tool_{number:02d}", "other_*"]}
        for number in range(RULES - 1)
    ]
    return {"rules": [*others, {"clients": ["bench"], "tools": ["*"]}]}
