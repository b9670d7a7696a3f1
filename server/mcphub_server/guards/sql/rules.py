"""What each kind of node must fulfil beyond being allowed at all.

A rule takes a node and the policy and raises Rejected. Names are judged as the
parser resolved them: quoting, unicode escapes and comments are gone by then.
"""

from collections.abc import Callable, Mapping
from typing import Any

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql import functions, relations, settings
from mcphub_server.guards.sql.costs import (
    check_cost,
    check_outline_type,
    check_xpath,
    find_string,
)
from mcphub_server.guards.sql.known_names import (
    CATALOG_OPERATORS,
    EXTENSION_OPERATORS,
)
from mcphub_server.guards.sql.nodes import SAMPLING_METHODS
from mcphub_server.guards.sql.statement import SqlPolicy

Rule = Callable[[Any, SqlPolicy], None]

_KNOWN_OPERATORS = CATALOG_OPERATORS | EXTENSION_OPERATORS
# With a schema of its own, a symbol that PostgreSQL has too is a user's.
_ADDED_OPERATORS = EXTENSION_OPERATORS - CATALOG_OPERATORS


def _names(nodes: Any) -> list[str]:
    return [node.sval for node in nodes or () if type(node).__name__ == "String"]


def _split(names: list[str]) -> tuple[str | None, str]:
    return (names[-2] if len(names) > 1 else None), names[-1]


def check_function(node: Any, policy: SqlPolicy) -> None:
    """Refuse a call of a function that is not known to be read-only."""
    schema, name = _split(_names(node.funcname))
    if name == "current_setting" and schema in (None, "pg_catalog"):
        _check_setting(node.args)
    elif not _is_allowed(schema, name):
        raise _refuse_function(schema, name)
    elif _is_shadowed(schema, name, policy):
        raise Rejected(
            "read-only/function",
            f"A user of this database defined a function {name} of their own.",
            f"Write pg_catalog.{name}(…) for PostgreSQL's.",
        )
    else:
        check_cost(name, node.args)


def _is_shadowed(schema: str | None, name: str, policy: SqlPolicy) -> bool:
    if schema is None:
        return name in policy.user_defined.shadows
    return schema != "pg_catalog" and name in policy.user_defined.functions


def _is_allowed(schema: str | None, name: str) -> bool:
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


def check_setting_name(name: str) -> None:
    """Refuse a setting that may tell more than how queries run."""
    if not settings.is_harmless(name):
        raise Rejected(
            "read-only/setting",
            f"The setting {name} is not shown here.",
            "Shown are those that affect queries, such as server_version, timezone,"
            " search_path, work_mem.",
        )


def check_relation(node: Any, _: SqlPolicy) -> None:
    """Refuse system tables that hold credentials, settings or others' statements."""
    reason = relations.find_refusal(node.schemaname, node.relname)
    if reason:
        raise Rejected(
            "read-only/relation",
            f"{node.relname} {reason}.",
            "Use information_schema, pg_roles, pg_tables or pg_settings instead.",
        )


def _check_operator(names: list[str], policy: SqlPolicy) -> None:
    if not names:
        return
    schema, symbol = _split(names)
    if symbol[:1].isalpha():  # BETWEEN and its like are not looked up
        return
    known = _KNOWN_OPERATORS if schema in (None, "pg_catalog") else _ADDED_OPERATORS
    if symbol in known and symbol not in policy.user_defined.operators:
        return
    if schema == "pg_catalog":
        return
    raise Rejected(
        "read-only/operator",
        f"The operator {symbol} is not PostgreSQL's own, so it may call any function.",
        f"Write OPERATOR(pg_catalog.{symbol}) if PostgreSQL's is meant.",
    )


def check_field(name: str, policy: SqlPolicy) -> None:
    """Refuse a field that PostgreSQL would take for a call: (x).f is f(x)."""
    if functions.is_call_as_field(name) or name in policy.user_defined.fields:
        raise Rejected(
            "read-only/function",
            f"The field {name} is the name of a function, and value.function calls it.",
            "Name columns only; call functions as function(value).",
        )


def _check_indirection(node: Any, policy: SqlPolicy) -> None:
    for name in _names(node.indirection):
        check_field(name, policy)


def _check_column(node: Any, policy: SqlPolicy) -> None:
    for name in _names(node.fields)[1:]:
        check_field(name, policy)


def _check_parameter(node: Any, policy: SqlPolicy) -> None:
    if not 1 <= node.number <= policy.parameters:
        raise Rejected(
            "sql/parameter",
            f"There is no value for the placeholder ${node.number}.",
            "Give one in parameters, or write it as a literal, with ' doubled in it.",
        )


def _check_xml_table(node: Any, _: SqlPolicy) -> None:
    check_xpath(node.rowexpr)
    for column in node.columns or ():
        if column.colexpr is not None:
            check_xpath(column.colexpr)


def _check_sample(node: Any, _: SqlPolicy) -> None:
    if _names(node.method)[-1] not in SAMPLING_METHODS:
        raise Rejected(
            "read-only/function",
            "This TABLESAMPLE method is not known.",
            "Use TABLESAMPLE system (1) or bernoulli (1).",
        )


RULES: Mapping[str, Rule] = {
    "FuncCall": check_function,
    "RangeVar": check_relation,
    "A_Expr": lambda node, policy: _check_operator(_names(node.name), policy),
    "SubLink": lambda node, policy: _check_operator(_names(node.operName), policy),
    "SortBy": lambda node, policy: _check_operator(_names(node.useOp), policy),
    "A_Indirection": _check_indirection,
    "ColumnRef": _check_column,
    "ParamRef": _check_parameter,
    "RangeTableSample": _check_sample,
    "RangeTableFunc": _check_xml_table,
    "RangeTableFuncCol": lambda node, _: check_outline_type(node.typeName),
    "JsonTableColumn": lambda node, _: check_outline_type(node.typeName),
    "JsonOutput": lambda node, _: check_outline_type(node.typeName),
    "ColumnDef": lambda node, _: check_outline_type(node.typeName),
    "TypeCast": lambda node, _: check_outline_type(node.typeName, node.arg),
}
