"""Columns of readable catalogs that hold what a client must not see.

The clients of a hub share its role, and PostgreSQL shows a role its own statements: so
another client's statement, with the values in it. The relations stay readable without
the column: a statement that could read it in any way is refused, and that is a name, a
star, the whole row, or a join that compares it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pglast import ast

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql.relations import SYSTEM_SCHEMAS
from mcphub_server.guards.sql.sources import find_name, is_star
from mcphub_server.guards.sql.tree import read_names

ALWAYS = {
    "pg_stat_activity": ("query", "holds what other clients asked"),
    "pg_stat_statements": ("query", "holds what other clients asked"),
    "pg_roles": ("rolconfig", "holds settings of roles, which may be keys"),
    "pg_user": ("useconfig", "holds settings of roles, which may be keys"),
}
"""By relation: the column, and why it is closed on every hub."""

BEYOND_SCHEMAS = {
    "pg_class": ("relpartbound", "holds values of every schema's partitions"),
}
"""Likewise, on a hub that has `schemas`."""

ANY_SCHEMA = frozenset({"pg_stat_statements"})
"""Extensions' relations, which may be in any schema."""


def find_closed(nodes: list[Any]) -> frozenset[str]:
    """Return which closed columns a statement may read, as "relation.column"."""
    relations = [node for node in nodes if is_guarded(node)]
    return frozenset(
        f"{relation.relname}.{column}"
        for relation in relations
        if may_read(relation, column := find_column(relation.relname), nodes)
    )


def check_closed(closed: Iterable[str], *, has_schemas: bool) -> None:
    """Refuse a statement that may read a column which this hub does not show."""
    for name in sorted(closed):
        relation, _, column = name.partition(".")
        if relation in ALWAYS or has_schemas:
            _, reason = (ALWAYS | BEYOND_SCHEMAS)[relation]
            raise Rejected(
                "read-only/column",
                f"{name} {reason}.",
                f"Name the columns that you need, without {column}, * and whole rows.",
            )


def find_column(relation: str) -> str:
    """Return the closed column of a relation."""
    return (ALWAYS | BEYOND_SCHEMAS)[relation][0]


def is_guarded(node: Any) -> bool:
    """Tell whether a node is a relation with a closed column."""
    if not isinstance(node, ast.RangeVar):
        return False
    name, schema = node.relname, node.schemaname
    if name in ANY_SCHEMA:
        return True
    known = name in ALWAYS or name in BEYOND_SCHEMAS
    return known and (schema is None or schema in SYSTEM_SCHEMAS)


def may_read(relation: ast.RangeVar, column: str, nodes: list[Any]) -> bool:
    """Tell whether a statement could read a column of a relation."""
    if relation.alias is not None and relation.alias.colnames:
        return True
    joins = [node for node in nodes if isinstance(node, ast.JoinExpr)]
    if any(join.alias is not None and join.alias.colnames for join in joins):
        return True
    names = {find_name(relation), *(str(j.alias.aliasname) for j in joins if j.alias)}
    return (
        any(_names_column(node, column, names) for node in nodes)
        or any(_compares(join, column) for join in joins)
        or any(_has_star(node, relation) for node in nodes)
    )


def _names_column(node: Any, column: str, names: set[str]) -> bool:
    """Tell whether a node is the column, or the whole row of a relation."""
    if isinstance(node, ast.A_Indirection):
        return column in read_names(node.indirection)
    if not isinstance(node, ast.ColumnRef):
        return False
    fields = read_names(node.fields)
    if is_star(node):
        return bool(fields) and fields[-1] in names
    return fields[-1] == column or (len(fields) == 1 and fields[0] in names)


def _compares(join: ast.JoinExpr, column: str) -> bool:
    return bool(join.isNatural) or column in read_names(join.usingClause)


def _has_star(select: Any, relation: ast.RangeVar) -> bool:
    """Tell whether a SELECT from the relation itself returns all columns."""
    if not isinstance(select, ast.SelectStmt) or not select.fromClause:
        return False
    targets = select.targetList or ()
    if not any(is_star(t.val) and len(t.val.fields) == 1 for t in targets):
        return False
    return any(each is relation for each in list_relations(select.fromClause))


def list_relations(items: Iterable[Any]) -> Iterator[Any]:
    """Yield the relations of a FROM clause, without those inside its subqueries."""
    stack = [*items]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.JoinExpr):
            stack += (item.larg, item.rarg)
        elif isinstance(item, ast.RangeTableSample):
            stack.append(item.relation)
        else:
            yield item
