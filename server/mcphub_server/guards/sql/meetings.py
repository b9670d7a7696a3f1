"""Where PostgreSQL makes values of one type out of values of several.

A constant without a type becomes what the other side of its operator is, and the
branches of CASE, the items of a list and the columns of a UNION become what one of them
is. Where that is an array, a range or a row with a checked domain inside, the check
runs on each of its values; a domain alone is read as its base type. So a backend says
which columns hold such containers, and this finds where they meet other values.
"""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from pglast import ast
from pglast.enums import A_Expr_Kind, SubLinkType

from mcphub_server.guards.sql.tree import read_names

CONTAINING = re.compile(
    "any_value|array_(agg|append|cat|fill|prepend|remove|replace|reverse|sample|shuffle"
    "|sort)|(first|last|nth)_value|lag|lead|lower|max|min|mode|multirange|percentile_disc"
    "|jsonb?_populate_.*|range_.*|trim_array|unnest|upper"
)
"""Functions whose result is of the type of an argument, or contains it."""

MAKING = re.compile("array_(agg|append|fill|prepend)")
"""Functions that make a list of other values."""

MOST_STEPS = 100_000
"""Of one statement: what is nested is looked at again on each of its levels."""

COMPARING = frozenset({"lag", "lead"})
"""Functions whose first and third argument become one type."""


@dataclass(frozen=True, slots=True, eq=False)
class Meeting:
    """Values that meet at one place.

    Attributes:
        values: Nodes of the parse tree.
        is_common: All become one type; otherwise only constants without a type do.
    """

    values: tuple[Any, ...]
    is_common: bool


@dataclass(slots=True)
class Suspects:
    """What may hold a value with a checked domain inside.

    Attributes:
        containers: Names of columns that do, and of what the statement derives.
        checked: Those, and columns of such a domain itself.
        is_foreign: The statement reads relations without such columns, too.
        steps: How many nodes are looked at; what is nested deeper counts as harmful.
    """

    containers: AbstractSet[str]
    checked: AbstractSet[str]
    is_foreign: bool
    steps: int = MOST_STEPS

    def has_harmful(self, meetings: Iterable[Meeting]) -> bool:
        """Tell whether a value may become one with a checked domain inside."""
        return any(map(self._is_harmful, meetings))

    def _is_harmful(self, meeting: Meeting) -> bool:
        others = [value for value in meeting.values if not is_null(value)]
        if not any(map(self._may_contain, others)):
            return False
        if not meeting.is_common:
            return True
        names = {find_column(value) for value in others}
        return len(names) > 1 or None in names or self.is_foreign

    def _may_contain(self, value: Any) -> bool:
        for node in walk_results(value):
            self.steps -= 1
            if self._is_container(node) or self._is_made_here(node):
                return True
            if self.steps < 0:
                return True
        return False

    def _is_container(self, node: Any) -> bool:
        if not isinstance(node, ast.ColumnRef):
            return False
        return find_column(node) in self.containers or is_any_column(node)

    def _is_made_here(self, node: Any) -> bool:
        """Tell whether a list is made, of values of a checked domain."""
        return makes_list(node) and any(
            find_column(part) in self.checked or is_any_column(part)
            for part in walk_results(node)
            if isinstance(part, ast.ColumnRef)
        )


def find_meetings(node: Any) -> Iterator[Meeting]:
    """Yield where values meet directly in a node; of a set operation, in all of it."""
    if isinstance(node, ast.A_Expr):
        is_list = node.kind == A_Expr_Kind.AEXPR_IN and isinstance(node.rexpr, tuple)
        yield from meet(flatten((node.lexpr, node.rexpr)), is_common=is_list)
    elif isinstance(node, (ast.CoalesceExpr, ast.MinMaxExpr)):
        yield from meet(node.args, is_common=True)
    elif isinstance(node, ast.A_ArrayExpr):
        yield from meet(node.elements, is_common=True)
    elif isinstance(node, ast.CaseExpr):
        cases = node.args or ()
        yield from meet((node.arg, *(each.expr for each in cases)))
        results = (*(each.result for each in cases), node.defresult)
        yield from meet(results, is_common=True)
    elif isinstance(node, ast.FuncCall):
        if read_names(node.funcname)[-1] in COMPARING:
            yield from meet((node.args or ())[::2], is_common=True)
    elif isinstance(node, ast.SubLink):
        if node.testexpr is not None:
            yield from meet((*flatten((node.testexpr,)), *list_results(node.subselect)))
    elif isinstance(node, ast.SelectStmt):
        yield from meet(list_outputs(node), is_common=True)


def meet(values: Iterable[Any] | None, *, is_common: bool = False) -> Iterator[Meeting]:
    """Yield a meeting of several values, if one of them may become another type."""
    given = tuple(value for value in values or () if value is not None)
    if len(given) > 1 and (is_common or any(map(is_untyped_value, given))):
        yield Meeting(given, is_common)


def flatten(values: Iterable[Any]) -> Iterator[Any]:
    """Yield values, those of lists and of written rows one by one."""
    pending = [*values]
    while pending:
        value = pending.pop()
        if isinstance(value, tuple):
            pending.extend(value)
        elif isinstance(value, ast.RowExpr):
            pending.extend(value.args or ())
        elif value is not None:
            yield value


def list_outputs(select: Any) -> list[Any]:
    """Return the values of VALUES and of the branches of a set operation."""
    outputs: list[Any] = []
    pending = [select]
    while pending:
        each = pending.pop()
        if each.larg is not None:
            pending += [each.larg, each.rarg]
        elif each.valuesLists:
            outputs.extend(flatten(each.valuesLists))
        elif each is not select:
            outputs.extend(target.val for target in each.targetList or ())
    return outputs


def list_results(select: Any) -> list[Any]:
    """Return the values of a subquery, whatever it is made of."""
    return list_outputs(select) or [each.val for each in select.targetList or ()]


def walk_results(value: Any) -> Iterator[Any]:
    """Yield the nodes that an expression's value may come from.

    A cast says what its value is, and most functions return something else than what
    they are given.
    """
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, (tuple, list)):
            pending.extend(node)
        elif isinstance(node, ast.Node) and not isinstance(node, ast.TypeCast):
            yield node
            pending.extend(list_parts(node))


def list_parts(node: Any) -> Iterator[Any]:
    """Yield the parts of a node that its value may come from."""
    if isinstance(node, ast.FuncCall):
        if CONTAINING.fullmatch(read_names(node.funcname)[-1]):
            yield node.args
            yield node.agg_order
    elif isinstance(node, ast.SubLink):
        if node.subLinkType in {SubLinkType.EXPR_SUBLINK, SubLinkType.ARRAY_SUBLINK}:
            yield list_results(node.subselect)
    else:
        slots: Any = vars(type(node))["__slots__"]
        yield from (getattr(node, slot) for slot in slots)


def makes_list(node: Any) -> bool:
    """Tell whether a node makes a list of other values."""
    if isinstance(node, ast.FuncCall):
        return MAKING.fullmatch(read_names(node.funcname)[-1]) is not None
    if isinstance(node, ast.SubLink):
        return bool(node.subLinkType == SubLinkType.ARRAY_SUBLINK)
    return isinstance(node, ast.A_ArrayExpr)


def find_column(node: Any) -> str | None:
    """Return the name of a column, or of a row; None for anything else."""
    if not isinstance(node, ast.ColumnRef):
        return None
    names = read_names(node.fields)
    return names[-1] if names else None


def is_any_column(node: Any) -> bool:
    """Tell whether a node is `*` or `item.*`."""
    return any(isinstance(each, ast.A_Star) for each in node.fields or ())


def is_null(node: Any) -> bool:
    """Tell whether a value is NULL, which contains nothing that could be checked."""
    return isinstance(node, ast.A_Const) and bool(node.isnull)


def is_untyped_value(node: Any) -> bool:
    """Tell whether a value, not NULL, becomes what the place where it stands needs."""
    if isinstance(node, ast.ParamRef):
        return True
    return isinstance(node, ast.A_Const) and isinstance(node.val, ast.String)
