"""What a statement uses by name, collected while the guard walks it.

PostgreSQL finds functions, operators and casts by name over the search path, whether
they are written or implied: BETWEEN looks up `>=` and `<=`, CASE and IN look up `=`,
`value.name` calls a function. All notations end up in one `Uses`, which every later
check reads.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pglast import ast
from pglast.enums import A_Expr_Kind, SubLinkType

from mcphub_server.guards.sql.meetings import Meeting, find_meetings
from mcphub_server.guards.sql.sources import Sources
from mcphub_server.guards.sql.statement import FieldUse, QualifiedName, Uses
from mcphub_server.guards.sql.tree import read_names, split_name

BETWEEN = {
    A_Expr_Kind.AEXPR_BETWEEN: (">=", "<="),
    A_Expr_Kind.AEXPR_NOT_BETWEEN: ("<", ">"),
    A_Expr_Kind.AEXPR_BETWEEN_SYM: (">=", "<="),
    A_Expr_Kind.AEXPR_NOT_BETWEEN_SYM: ("<", ">"),
}

Columns = list[list[str]]


class UseCollector:
    """Collects from node after node; `finish` needs all of them."""

    def __init__(self) -> None:
        self._sources = Sources()
        self._found: dict[str, set[QualifiedName]] = {
            name: set() for name in ("relations", "calls", "operators", "types")
        }
        self._columns: set[tuple[str, ...]] = set()
        self._fields: set[str] = set()
        self._names: set[str] = set()
        self._converting: set[str] = set()
        self._derived: set[str] = set()
        self._meetings: list[Meeting] = []
        self._branches: set[int] = set()
        self._by_kind: Mapping[type, Callable[[Any], None]] = {
            ast.RangeVar: self._add_relation,
            ast.FuncCall: self._add_call,
            ast.TypeName: lambda node: self._add("types", node.names),
            ast.SortBy: lambda node: self._add("operators", node.useOp),
            ast.A_Expr: self._add_expression,
            ast.SubLink: self._add_sublink,
            ast.CaseExpr: self._add_case,
            ast.JoinExpr: self._add_join,
            ast.ColumnRef: self._add_column,
            ast.A_Indirection: self._add_indirection,
            ast.ResTarget: lambda node: self._derive(node.name),
            ast.Alias: lambda node: self._derive(
                node.aliasname, *read_names(node.colnames)
            ),
            ast.CommonTableExpr: lambda node: self._derive(
                node.ctename, *read_names(node.aliascolnames)
            ),
        }

    def add(self, node: Any) -> None:
        """Note one node."""
        self._sources.add(node)
        self._add_meetings(node)
        note = self._by_kind.get(type(node))
        if note is not None:
            note(node)

    def finish(self) -> Uses:
        """Return what was found."""
        described = (self._sources.describe_field([*names]) for names in self._columns)
        fields = {FieldUse(name, None) for name in self._fields}
        fields.update(field for field in described if field is not None)
        found = {name: frozenset(names) for name, names in self._found.items()}
        return Uses(
            fields=frozenset(fields),
            columns=frozenset(self._names),
            converting=frozenset(self._converting),
            derived=frozenset(self._derived),
            meetings=tuple(self._meetings),
            **found,
        )

    def _derive(self, *names: str | None) -> None:
        self._derived.update(name for name in names if name)

    def _add_meetings(self, node: Any) -> None:
        """Note where values meet; a set operation is looked at with its branches."""
        if isinstance(node, ast.SelectStmt) and node.larg is not None:
            self._branches.update((id(node.larg), id(node.rarg)))
        if id(node) not in self._branches:
            self._meetings.extend(find_meetings(node))

    def _add(self, group: str, nodes: Any) -> None:
        names = read_names(nodes)
        if names:
            self._found[group].add(QualifiedName(*split_name(names)))

    def _imply(self, *symbols: str) -> None:
        self._found["operators"].update(QualifiedName(None, each) for each in symbols)

    def _add_relation(self, node: Any) -> None:
        self._found["relations"].add(QualifiedName(node.schemaname, node.relname))

    def _add_call(self, node: Any) -> None:
        self._add("calls", node.funcname)
        if any(map(_is_untyped, node.args or ())):
            self._converting.update(read_names(node.funcname)[-1:])

    def _add_expression(self, node: Any) -> None:
        implied = BETWEEN.get(node.kind)
        if implied:
            self._imply(*implied)
        else:
            self._add("operators", node.name)

    def _add_sublink(self, node: Any) -> None:
        if node.operName:
            self._add("operators", node.operName)
        elif node.subLinkType == SubLinkType.ANY_SUBLINK:
            self._imply("=")

    def _add_case(self, node: Any) -> None:
        if node.arg is not None:
            self._imply("=")

    def _add_join(self, node: Any) -> None:
        if node.isNatural or node.usingClause:
            self._imply("=")

    def _add_column(self, node: Any) -> None:
        names = read_names(node.fields)
        self._names.update(names[-1:])
        if len(names) > 1 and len(names) == len(node.fields):
            self._columns.add(tuple(names[-2:]))

    def _add_indirection(self, node: Any) -> None:
        self._fields.update(read_names(node.indirection))


def _is_untyped(node: Any) -> bool:
    """Tell whether a value becomes what the place where it stands needs."""
    if isinstance(node, ast.NamedArgExpr):
        node = node.arg
    if isinstance(node, ast.ParamRef):
        return True
    if not isinstance(node, ast.A_Const):
        return False
    return bool(node.isnull) or isinstance(node.val, ast.String)
