"""What a statement may not read where each caller sees only their own rows.

Row level security binds tables, and not what PostgreSQL counts about them: sizes,
estimates and samples are of all rows. Plans show these too.
"""

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql.closed_columns import check_closed
from mcphub_server.guards.sql.relations import BEYOND_SCHEMAS
from mcphub_server.guards.sql.statement import SqlStatement

STATISTICS = ("pg_stat", "pg_statio", "pg_stats")

SIZES = frozenset(
    {
        "pg_column_compression",
        "pg_database_size",
        "pg_indexes_size",
        "pg_relation_size",
        "pg_table_size",
        "pg_tablespace_size",
        "pg_total_relation_size",
    }
)

COUNTED = frozenset({"reltuples", "relpages", "relallvisible", "relpartbound"})
"""Columns of pg_class, wherever a statement names one of these."""

PLACES = frozenset({"ctid"})
"""Where a row lies among the rows of every caller."""

ADVICE = "Read the tables themselves, as in SELECT count(*) FROM …."


def check_bound(statement: SqlStatement) -> None:
    """Refuse what describes rows that the caller may not see.

    Raises:
        Rejected: The statement explains, or reads statistics.
    """
    if statement.kind == "explain":
        raise Rejected(
            "identity/explain", "A plan describes the rows of every caller.", ADVICE
        )
    uses = statement.uses
    for name in (
        *(relation.name for relation in uses.relations),
        *(call.name for call in uses.calls),
        *(field.name for field in uses.fields),
    ):
        if is_statistic(name):
            raise refuse(name)
    if named := sorted((COUNTED | PLACES) & uses.columns):
        raise refuse(named[0])
    check_closed(statement.closed_columns, has_schemas=True)


def is_statistic(name: str) -> bool:
    """Tell whether a relation or a function describes all rows of a table."""
    return name.startswith(STATISTICS) or name in SIZES or name in BEYOND_SCHEMAS


def refuse(name: str) -> Rejected:
    """Say what is closed."""
    return Rejected(
        "identity/statistics", f"{name} describes the rows of every caller.", ADVICE
    )
