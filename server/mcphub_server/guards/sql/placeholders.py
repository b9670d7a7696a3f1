"""Casting a statement's placeholders to their declared types.

PostgreSQL infers a placeholder's type from what it is compared with: timestamptz for
`placed_at >= $1`, which then refuses a date. The parser says where each placeholder
stands, so nothing that only looks like one, in a string or a comment, is touched.
"""

from collections.abc import Sequence

from pglast import ast, parse_sql

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql.check import check_sql
from mcphub_server.guards.sql.statement import Grants, SqlStatement
from mcphub_server.guards.sql.tree import walk


def check_declared(sql: str, types: Sequence[str], grants: Grants) -> SqlStatement:
    """Return a declared statement, with each placeholder cast to its type.

    Args:
        sql: The statement with $1 … $n.
        types: PostgreSQL's types of $1 … $n.
        grants: What its author may use beyond what clients may.

    Raises:
        Rejected: It does not only read, or its placeholders are not those declared.
    """
    statement = check_sql(sql, len(types), grants)
    if not statement.columns_wrappable:
        raise Rejected(
            "sql/declared", "A declared tool needs a SELECT, VALUES or TABLE.", ""
        )
    places = find_placeholders(statement.text)
    check_all_used({number for _, number in places}, len(types))
    return check_sql(cast_at(statement.text, places, types), len(types), grants)


def find_placeholders(sql: str) -> list[tuple[int, int]]:
    """Return where each placeholder stands, in characters, and its number."""
    nodes = [node for node, _ in walk(parse_sql(sql)[0].stmt)]
    return sorted(
        (int(node.location or 0), int(node.number or 0))
        for node in nodes
        if isinstance(node, ast.ParamRef)
    )


def check_all_used(used: set[int], count: int) -> None:
    """Refuse parameters that the statement does not use."""
    unused = sorted(set(range(1, count + 1)) - used)
    if unused:
        raise Rejected(
            "sql/parameter",
            f"The statement does not use {', '.join(f'${n}' for n in unused)}.",
            "Declare one parameter for each of $1, $2, … in their order.",
        )


def cast_at(sql: str, places: Sequence[tuple[int, int]], types: Sequence[str]) -> str:
    """Return the text with a cast around each placeholder.

    In parentheses, because a subscript or a field may follow.
    """
    for position, number in reversed(places):
        end = position + 1 + len(str(number))
        cast = f"(${number}::{types[number - 1]})"
        sql = f"{sql[:position]}{cast}{sql[end:]}"
    return sql
