"""Columns of readable catalogs that hold what a client must not see.

The clients of a hub share its role, and PostgreSQL shows a role its own statements: so
another client's statement, with the values in it. The relations stay readable without
the column: a statement that could read it in any way is refused, and that is a name, a
star, the whole row, or a join that compares it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
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
    if not relations:
        return frozenset()
    seen = Reading.of(nodes)
    return frozenset(
        f"{relation.relname}.{column}"
        for relation in relations
        if seen.may_have(relation, column := find_column(relation.relname))
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


@dataclass(slots=True)
class Reading:
    """What a statement names, collected once for all of its relations.

    Attributes:
        columns: Columns by name, of whatever they are.
        qualified: Columns with the name before them, as (item, column).
        wholes: Names that may be a relation's: alone, or before a star.
        compared: Columns that a join compares.
        joins: Names of joins, whose rows have those of relations in them.
        starred: Relations of which a SELECT returns all columns, by their identity.
        renames: A join gives columns names of its own, or compares all of them.
    """

    columns: set[str] = field(default_factory=set)
    qualified: set[tuple[str, str]] = field(default_factory=set)
    wholes: set[str] = field(default_factory=set)
    compared: set[str] = field(default_factory=set)
    joins: set[str] = field(default_factory=set)
    starred: set[int] = field(default_factory=set)
    renames: bool = False

    @classmethod
    def of(cls, nodes: Iterable[Any]) -> "Reading":
        """Collect from all nodes of a statement."""
        seen = cls()
        for node in nodes:
            if isinstance(node, ast.A_Indirection):
                seen.columns.update(read_names(node.indirection))
            elif isinstance(node, ast.ColumnRef):
                seen.add_column(node)
            elif isinstance(node, ast.JoinExpr):
                seen.add_join(node)
            elif isinstance(node, ast.SelectStmt):
                seen.add_select(node)
        return seen

    def add_column(self, node: ast.ColumnRef) -> None:
        """Note a column, a whole row, or `relation.*`."""
        names = read_names(node.fields)
        if is_star(node):
            self.wholes.update(names[-1:])
            return
        if len(names) > 1:
            self.qualified.add((names[-2], names[-1]))
        else:
            self.columns.add(names[0])
            self.wholes.add(names[0])

    def add_join(self, join: ast.JoinExpr) -> None:
        """Note what a join compares, and how it is called."""
        self.compared.update(read_names(join.usingClause))
        self.renames |= bool(join.isNatural)
        if join.alias is not None:
            self.joins.add(str(join.alias.aliasname))
            self.renames |= bool(join.alias.colnames)

    def add_select(self, select: ast.SelectStmt) -> None:
        """Note the relations of which all columns are returned."""
        targets = select.targetList or ()
        if any(is_star(t.val) and len(t.val.fields) == 1 for t in targets):
            self.starred.update(map(id, list_relations(select.fromClause or ())))

    def may_have(self, relation: ast.RangeVar, column: str) -> bool:
        """Tell whether the statement could read a column of a relation."""
        renamed = relation.alias is not None and bool(relation.alias.colnames)
        items = {find_name(relation), *self.joins}
        return (
            renamed
            or self.renames
            or column in self.columns
            or column in self.compared
            or id(relation) in self.starred
            or not self.wholes.isdisjoint(items)
            or any((item, column) in self.qualified for item in items)
        )


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
