"""What models read about the diagnosis tools, and the shapes of their answers."""

from mcphub_server.tools.building import ToolDescription
from mcphub_server.tools.schemas import (
    BOOLEAN,
    COUNT,
    STRING,
    STRINGS,
    build_list,
    build_object,
)

NUMBER = {"type": "number"}

PLAN = build_object(
    {"plan": STRINGS, "total_cost": NUMBER, "indexes": STRINGS, "advice": STRINGS},
    hypothetical=build_object(
        {"tried": STRINGS, "total_cost": NUMBER, "used": STRINGS, "result": STRING}
    ),
    note=STRING,
    truncated=BOOLEAN,
)

FINDINGS = build_object(
    {
        "findings": build_list(
            build_object(
                {
                    "problem": STRING,
                    "object": STRING,
                    "detail": STRING,
                    "advice": STRING,
                }
            )
        ),
        "looked_for": STRINGS,
    },
    note=STRING,
    truncated=BOOLEAN,
)

STATEMENTS = build_object(
    {
        "statements": build_list(
            build_object(
                {
                    "statement": STRING,
                    "calls": COUNT,
                    "total_ms": NUMBER,
                    "mean_ms": NUMBER,
                    "rows": COUNT,
                    "blocks_read": COUNT,
                }
            )
        )
    },
    note=STRING,
    truncated=BOOLEAN,
)


def describe_explain(name: str) -> ToolDescription:
    """Describe `<b>_explain_query`."""
    return ToolDescription(
        f"{name}_explain_query",
        f"Explain a query on {name}",
        f"Show how the PostgreSQL database {name} would run a SELECT, with its "
        "expected cost and advice; nothing runs. With hypothetical_indexes, also "
        "what indexes that do not exist would change; they are gone after the call.",
        PLAN,
    )


def describe_indexes(name: str) -> ToolDescription:
    """Describe `<b>_index_health`."""
    return ToolDescription(
        f"{name}_index_health",
        f"Check the indexes of {name}",
        f"Find invalid, duplicate and unused indexes of the PostgreSQL database "
        f"{name}, and foreign keys without an index. Each finding says what to do. "
        "Takes no arguments.",
        FINDINGS,
    )


def describe_statements(name: str) -> ToolDescription:
    """Describe `<b>_top_statements`."""
    return ToolDescription(
        f"{name}_top_statements",
        f"List the costliest statements on {name}",
        f"List the statements that cost the PostgreSQL database {name} most, by total "
        "time, mean time or number of calls, with their values replaced. Needs the "
        "extension pg_stat_statements. Use it to find out what to make faster, and "
        f"{name}_explain_query to find out how.",
        STATEMENTS,
    )


def describe_vacuum(name: str) -> ToolDescription:
    """Describe `<b>_vacuum_health`."""
    return ToolDescription(
        f"{name}_vacuum_health",
        f"Check vacuum and statistics of {name}",
        f"Find tables of the PostgreSQL database {name} with many dead rows, old "
        "transaction ids, autovacuum switched off, or no statistics. Each finding says "
        "what to do. Takes no arguments.",
        FINDINGS,
    )


def describe_activity(name: str) -> ToolDescription:
    """Describe `<b>_activity`."""
    return ToolDescription(
        f"{name}_activity",
        f"Show what hangs in {name}",
        f"Find sessions of the PostgreSQL database {name} that wait for a lock, with "
        "those that block them, and transactions that have been open for long, "
        "prepared ones included. Shows the statements of other sessions.",
        FINDINGS,
    )
