"""What each kind of node must fulfil beyond being allowed at all.

A rule takes a node and raises Rejected. Names are judged as the parser resolved them:
quoting, unicode escapes and comments are gone by then. What depends on the database
that the statement is for comes later, in `names`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pglast import ast

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql import functions, relations, settings
from mcphub_server.guards.sql.costs import (
    check_cost,
    check_outline_type,
    check_unowned_cost,
    check_xpath,
    find_string,
)
from mcphub_server.guards.sql.known_names import (
    CATALOG_OPERATORS,
    EXTENSION_OPERATORS,
)
from mcphub_server.guards.sql.nodes import SAMPLING_METHODS
from mcphub_server.guards.sql.statement import FieldUse, Grants, QualifiedName
from mcphub_server.guards.sql.tree import read_names, split_name

Rule = Callable[[Any], None]

_REWRITE_VALUES = 3

_KNOWN_OPERATORS = CATALOG_OPERATORS | EXTENSION_OPERATORS
# With a schema of its own, a symbol that PostgreSQL has too is a user's.
_ADDED_OPERATORS = EXTENSION_OPERATORS - CATALOG_OPERATORS


def check_function(node: Any) -> None:
    """Refuse a call of a function that is not known to be read-only."""
    schema, name = split_name(read_names(node.funcname))
    if name == "current_setting" and schema in (None, "pg_catalog"):
        _check_setting(node.args)
    elif name == "ts_rewrite" and schema in (None, "pg_catalog"):
        _check_rewrite(node)
    elif not is_allowed(schema, name):
        raise _refuse_function(schema, name)
    else:
        check_cost(name, node.args)


def is_granted(node: Any, grants: Grants) -> bool:
    """Tell whether a node is a call that the statement's author may make."""
    if not isinstance(node, ast.FuncCall):
        return False
    schema, name = split_name(read_names(node.funcname))
    if QualifiedName(schema, name) in grants.functions:
        return True
    if name != "current_setting" or schema not in (None, "pg_catalog"):
        return False
    setting = find_string(node.args[0]) if node.args else None
    return setting is not None and setting.lower() in grants.settings


def is_allowed(schema: str | None, name: str) -> bool:
    """Tell whether a function is known to be read-only."""
    if schema in (None, "pg_catalog") and name in functions.BUILT_IN:
        return True
    return schema != "pg_catalog" and name in functions.EXTENSIONS


def _refuse_function(schema: str | None, name: str) -> Rejected:
    written = f"{schema}.{name}" if schema else name
    if functions.is_system_name(name):
        return Rejected(
            "read-only/function",
            f"The function {written} does more than compute a value from its"
            " arguments and readable rows.",
            "Leave it out; for a server setting use SHOW, for data name its table.",
        )
    return Rejected(
        "read-only/function",
        f"The function {written} is not one that this server knows to be read-only;"
        " user-defined functions are not called.",
        "Use PostgreSQL's own functions, or read a view that has the value.",
    )


def _check_setting(arguments: Any) -> None:
    first = arguments[0] if arguments else None
    value = find_string(first)
    if value is None:
        raise Rejected(
            "read-only/setting",
            "current_setting needs its setting's name as a plain string here.",
            "Write for example current_setting('server_version').",
        )
    check_setting_name(value)


def _check_rewrite(node: Any) -> None:
    """Refuse the form of ts_rewrite that runs a string as SQL; three values do not."""
    if len(node.args or ()) != _REWRITE_VALUES or node.func_variadic:
        raise _refuse_function(None, "ts_rewrite")


def check_setting_name(name: str) -> None:
    """Refuse a setting that may tell more than how queries run."""
    if not settings.is_harmless(name):
        raise Rejected(
            "read-only/setting",
            f"The setting {name} is not shown here.",
            "Shown are those that affect queries, such as server_version, timezone,"
            " search_path, work_mem.",
        )


def check_relation(node: Any) -> None:
    """Refuse system tables that hold credentials, settings or others' statements."""
    reason = relations.find_refusal(node.schemaname, node.relname)
    if reason:
        raise Rejected(
            "read-only/relation",
            f"{node.relname} {reason}.",
            "Use information_schema, pg_roles, pg_tables or pg_settings instead.",
        )


def _check_operator(names: list[str]) -> None:
    if not names:
        return
    schema, symbol = split_name(names)
    if symbol[:1].isalpha():  # BETWEEN and its like: what they imply is PostgreSQL's
        return
    known = _KNOWN_OPERATORS if schema in (None, "pg_catalog") else _ADDED_OPERATORS
    if symbol not in known and schema != "pg_catalog":
        raise refuse_operator(symbol)


def refuse_operator(symbol: str) -> Rejected:
    """Say that an operator may run what a user wrote."""
    return Rejected(
        "read-only/operator",
        f"The operator {symbol} is not PostgreSQL's own, so it may call any function.",
        f"Write OPERATOR(pg_catalog.{symbol}) if PostgreSQL's is meant.",
    )


def check_unowned_fields(fields: Iterable[FieldUse]) -> None:
    """Refuse `value.name` for a refused function, unless a relation may have it.

    Which relations really have such a column, only the database knows.
    """
    for field in fields:
        if field.owners is not None:
            continue
        if field.name in functions.REFUSED:
            raise refuse_field(field.name)
        if field.of_item:
            check_unowned_cost(field.name)
        elif functions.is_call_as_field(field.name):
            raise refuse_field(field.name)


def refuse_field(name: str) -> Rejected:
    """Say that a field would be a call: (x).f is f(x) where x has no field f."""
    return Rejected(
        "read-only/function",
        f"The field {name} is the name of a function, and value.function calls it.",
        "Name columns only, as alias.column; call functions as function(value).",
    )


def _check_indirection(node: Any) -> None:
    for name in read_names(node.indirection):
        check_cost(name, (node.arg,))


def check_parameter(node: Any, parameters: int) -> None:
    """Refuse a placeholder without a value."""
    if not 1 <= node.number <= parameters:
        raise Rejected(
            "sql/parameter",
            f"There is no value for the placeholder ${node.number}.",
            "Give one in parameters, or write it as a literal, with ' doubled in it.",
        )


def _check_xml_table(node: Any) -> None:
    check_xpath(node.rowexpr)
    for column in node.columns or ():
        if column.colexpr is not None:
            check_xpath(column.colexpr)


def _check_sample(node: Any) -> None:
    if read_names(node.method)[-1] not in SAMPLING_METHODS:
        raise Rejected(
            "read-only/function",
            "This TABLESAMPLE method is not known.",
            "Use TABLESAMPLE system (1) or bernoulli (1).",
        )


def _check_read_type(node: Any) -> None:
    check_outline_type(node.typeName)


RULES: Mapping[str, Rule] = {
    "FuncCall": check_function,
    "RangeVar": check_relation,
    "A_Expr": lambda node: _check_operator(read_names(node.name)),
    "SubLink": lambda node: _check_operator(read_names(node.operName)),
    "SortBy": lambda node: _check_operator(read_names(node.useOp)),
    "A_Indirection": _check_indirection,
    "RangeTableSample": _check_sample,
    "RangeTableFunc": _check_xml_table,
    "RangeTableFuncCol": _check_read_type,
    "JsonTableColumn": _check_read_type,
    "JsonOutput": _check_read_type,
    "ColumnDef": _check_read_type,
    "TypeCast": lambda node: check_outline_type(node.typeName, node.arg),
}
