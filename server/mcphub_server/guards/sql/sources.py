"""Who has a column: what the items of a statement's FROM clauses provide.

`m.title` is a column where `m` has one, and a call of title(m) where it has not. The
items are found by name in the whole statement; where several bear one name, all of them
have to have the column. So nothing here depends on PostgreSQL's rules of scope.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pglast import ast

from mcphub_server.guards.sql.costs import DUMP_COLUMNS, is_dump
from mcphub_server.guards.sql.statement import FieldUse, QualifiedName
from mcphub_server.guards.sql.tree import read_names

Owners = tuple[frozenset[QualifiedName], ...]
"""Groups of relations, one of each of which has to have the column."""

PROVIDED: Owners = ()
"""The statement itself names the column."""

_VALUES_COLUMN = re.compile("column[0-9]+")

_OF_VALUES = frozenset(
    {
        "generate_series",
        "generate_subscripts",
        "regexp_split_to_table",
        "string_to_table",
    }
)

MOST_STEPS = 20_000
"""Items that are looked into for one statement: nested stars multiply them."""

DEEPEST = 25
"""CTEs and subqueries that a column may come through; a CTE may name itself."""


class Sources:
    """The FROM items and CTEs of one statement."""

    def __init__(self) -> None:
        self._items: dict[str, list[Any]] = defaultdict(list)
        self._ctes: dict[str, list[Any]] = defaultdict(list)
        self._steps = MOST_STEPS
        self._depth = 0
        self._by_kind: Mapping[type, Callable[[Any, str], Owners | None]] = {
            ast.RangeVar: self._provide_relation,
            ast.RangeSubselect: lambda item, column: self._provide_select(
                item.subquery, column
            ),
            ast.JoinExpr: self._provide_join,
        }

    def add(self, node: Any) -> None:
        """Note a node, if it is an item or a CTE."""
        if isinstance(node, ast.CommonTableExpr):
            self._ctes[str(node.ctename)].append(node)
        elif isinstance(node, ast.RangeVar):
            self._items[find_name(node)].append(node)
        elif getattr(node, "alias", None) is not None:
            self._items[node.alias.aliasname].append(node)
        using = getattr(node, "join_using_alias", None)
        if using is not None:  # a row of the compared columns: it provides nothing
            self._items[using.aliasname].append(using)

    def describe_field(self, names: list[str]) -> FieldUse | None:
        """Return what is to be asked of `a.b` or `a.b.c`; None if nothing is."""
        owners = self._find_owners(names[-2], names[-1])
        if owners == PROVIDED:
            return None
        return FieldUse(names[-1], owners, of_item=True)

    def _find_owners(self, item: str, column: str) -> Owners | None:
        return _all(self._provide(each, column) for each in self._items.get(item, ()))

    def _provide(self, item: Any, column: str) -> Owners | None:
        """Return who has to have the column of an item; None: it has none such."""
        self._steps -= 1
        if self._steps < 0 or self._depth == DEEPEST:
            return None
        self._depth += 1
        try:
            return self._look_into(item, column)
        finally:
            self._depth -= 1

    def _look_into(self, item: Any, column: str) -> Owners | None:
        if isinstance(item, ast.RangeTableSample):
            item = item.relation
        renamed = read_names(getattr(getattr(item, "alias", None), "colnames", None))
        if renamed:
            return PROVIDED if column in renamed else None
        provide = self._by_kind.get(type(item))
        if provide is not None:
            return provide(item, column)
        return PROVIDED if column in list_own_columns(item) else None

    def _provide_join(self, item: Any, column: str) -> Owners | None:
        return _any(self._provide(each, column) for each in (item.larg, item.rarg))

    def _provide_relation(self, item: Any, column: str) -> Owners | None:
        table = (frozenset({QualifiedName(item.schemaname, item.relname)}),)
        ctes = () if item.schemaname else self._ctes.get(item.relname, ())
        if not ctes:
            return table
        named = _all(self._provide_cte(cte, column) for cte in ctes)
        # a table of this name may be meant where the CTE cannot be seen
        return None if named is None else (*named, *table)

    def _provide_cte(self, cte: Any, column: str) -> Owners | None:
        renamed = read_names(cte.aliascolnames)
        if column in list_added_columns(cte):
            return PROVIDED
        if renamed:
            return PROVIDED if column in renamed else None
        return self._provide_select(cte.ctequery, column)

    def _provide_select(self, select: Any, column: str) -> Owners | None:
        while isinstance(select, ast.SelectStmt) and select.larg is not None:
            select = select.larg
        if not isinstance(select, ast.SelectStmt):
            return None
        if select.valuesLists:
            return PROVIDED if _VALUES_COLUMN.fullmatch(column) else None
        return _any(
            self._provide_target(target, select, column)
            for target in select.targetList or ()
        )

    def _provide_target(self, target: Any, select: Any, column: str) -> Owners | None:
        if not is_star(target.val):
            return PROVIDED if find_target_name(target) == column else None
        qualifier = read_names(target.val.fields)
        if qualifier:
            return self._find_owners(qualifier[-1], column)
        return _any(self._provide(item, column) for item in select.fromClause or ())


def _all(found: Iterable[Owners | None]) -> Owners | None:
    """Return what holds if every item provides the column; None without any."""
    groups: list[frozenset[QualifiedName]] = []
    count = 0
    for owners in found:
        if owners is None:
            return None
        count += 1
        groups += owners
    return tuple(groups) if count else None


def _any(found: Iterable[Owners | None]) -> Owners | None:
    """Return what holds if one item provides the column; None if none can."""
    possible = [owners for owners in found if owners is not None]
    if PROVIDED in possible:
        return PROVIDED
    if len(possible) <= 1:
        return possible[0] if possible else None
    return (frozenset().union(*(group for owners in possible for group in owners)),)


def find_name(item: ast.RangeVar) -> str:
    """Return what a statement calls a relation."""
    return str(item.alias.aliasname if item.alias else item.relname)


def is_star(node: Any) -> bool:
    """Tell whether a node is `*` or `item.*`."""
    if not isinstance(node, ast.ColumnRef):
        return False
    return any(isinstance(each, ast.A_Star) for each in node.fields or ())


def find_target_name(target: Any) -> str | None:
    """Return the name that an output column is sure to have."""
    if target.name:
        return str(target.name)
    value = target.val
    while isinstance(value, ast.TypeCast):
        value = value.arg
    if isinstance(value, ast.ColumnRef):
        names = read_names(value.fields)
        return names[-1] if names else None
    return None


def list_added_columns(cte: Any) -> Iterator[str]:
    """Yield the columns that SEARCH and CYCLE add to a CTE."""
    if cte.search_clause is not None:
        yield cte.search_clause.search_seq_column
    if cte.cycle_clause is not None:
        yield cte.cycle_clause.cycle_mark_column
        yield cte.cycle_clause.cycle_path_column


def list_own_columns(item: Any) -> Iterator[str]:
    """Yield the columns that a function or table function names in place."""
    for definition in getattr(item, "coldeflist", None) or ():
        yield definition.colname
    for column in getattr(item, "columns", None) or ():
        name = getattr(column, "colname", None) or getattr(column, "name", None)
        if name:
            yield name
    if isinstance(item, ast.RangeFunction):
        if item.ordinality:
            yield "ordinality"
        calls = [call for call, *_ in item.functions or ()]
        if all(is_dump(call) for call in calls):
            yield from DUMP_COLUMNS
        if item.alias is not None and all(map(_returns_values, calls)):
            yield str(item.alias.aliasname)


def _returns_values(call: Any) -> bool:
    """Tell whether a call's one column is called like its item.

    Of a function that returns rows, the item's name behind the item is a call.
    """
    if not isinstance(call, ast.FuncCall):
        return False
    return read_names(call.funcname)[-1] in _OF_VALUES
