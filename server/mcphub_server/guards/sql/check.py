"""Let one reading statement through, or say which rule it breaks and what to write.

The order matters: bounds on the text before the parser sees it, the statement's kind
before its parts. Nothing here reads the database; what a statement can still do
after it (views that call functions, types with checks of their own) happens inside
a READ ONLY transaction that is rolled back.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from pglast import ast, fingerprint, parse_sql
from pglast.parser import ParseError

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql.closed_columns import check_closed, find_closed
from mcphub_server.guards.sql.dialects import check_dialect
from mcphub_server.guards.sql.nodes import (
    EXPLAIN_OPTIONS,
    READING,
    RUNNING_EXPLAIN_OPTIONS,
    WRITING,
    spell_statement,
)
from mcphub_server.guards.sql.rules import (
    RULES,
    check_parameter,
    check_setting_name,
    check_unowned_fields,
    is_granted,
)
from mcphub_server.guards.sql.shape import check_shape
from mcphub_server.guards.sql.statement import (
    NOTHING,
    Grants,
    SqlStatement,
    StatementKind,
    Uses,
)
from mcphub_server.guards.sql.tree import walk
from mcphub_server.guards.sql.uses import UseCollector

MAX_DEPTH = 1_500

_ALLOWED = "Allowed are one SELECT, VALUES, TABLE, WITH … SELECT, EXPLAIN or SHOW."


def check_sql(sql: str, parameters: int = 0, grants: Grants = NOTHING) -> SqlStatement:
    """Return the statement if it only reads, as far as its text tells.

    `names.check_names` goes on with what its database's users defined.

    Args:
        sql: What a client sent.
        parameters: How many values come beside it: $1 … $n.
        grants: What this statement may use beyond what every client's may.

    Raises:
        Rejected: It is no single statement, or has a part that is not known to read.
    """
    check_shape(sql)
    raw = _parse_one(sql)
    kind = _check_kind(raw.stmt)
    text = _cut_text(sql, raw)
    digest = sha256(text.encode()).hexdigest()[:32]
    if kind == "show":
        check_dialect(sql)
        check_setting_name(raw.stmt.name)
        return SqlStatement(kind, text, digest, fingerprint(text))
    root = raw.stmt.query if kind == "explain" else raw.stmt
    nodes = _check_nodes(root, parameters, grants)
    uses = _collect_uses(nodes)
    closed = find_closed(nodes)
    check_closed(closed, has_schemas=False)
    return SqlStatement(kind, text, digest, fingerprint(text), uses, closed)


def _parse_one(sql: str) -> Any:
    try:
        statements = parse_sql(sql)
    except ParseError as error:
        check_dialect(sql)
        raise Rejected(
            "sql/syntax", f"{_describe(error, sql)}.", "Correct the statement."
        ) from None
    if not statements:
        raise Rejected("sql/empty", "There is no statement.", _ALLOWED)
    if len(statements) > 1:
        raise Rejected(
            "sql/one-statement",
            f"There are {len(statements)} statements.",
            "Send one a call.",
        )
    return statements[0]


def _describe(error: ParseError, sql: str) -> str:
    message = str(error.args[0])
    location = error.args[1] if len(error.args) > 1 else None
    if not isinstance(location, int):
        return message
    before = sql[:location]
    column = location - before.rfind("\n")
    return f"{message} (line {before.count(chr(10)) + 1}, column {column})"


def _check_kind(statement: Any) -> StatementKind:
    if isinstance(statement, ast.SelectStmt):
        return "select"
    if isinstance(statement, ast.VariableShowStmt):
        return "show"
    if isinstance(statement, ast.ExplainStmt):
        _check_explain(statement)
        return "explain"
    raise _refuse_statement(type(statement).__name__)


def _check_explain(statement: Any) -> None:
    if not isinstance(statement.query, ast.SelectStmt):
        raise _refuse_statement(type(statement.query).__name__)
    for option in statement.options or ():
        is_off = option.defname in RUNNING_EXPLAIN_OPTIONS and _is_off(option.arg)
        if option.defname not in EXPLAIN_OPTIONS and not is_off:
            raise Rejected(
                "read-only/explain",
                f"EXPLAIN's option {option.defname} runs the statement.",
                "Write EXPLAIN without it; FORMAT, VERBOSE, COSTS are fine.",
            )


def _is_off(argument: Any) -> bool:
    if isinstance(argument, ast.String):
        return str(argument.sval).lower() in {"false", "off", "0", "none"}
    return isinstance(argument, ast.Integer) and argument.ival == 0


def _refuse_statement(kind: str) -> Rejected:
    return Rejected(
        "read-only/statement",
        f"{spell_statement(kind)} is not a reading statement.",
        _ALLOWED,
    )


def _check_nodes(root: Any, parameters: int, grants: Grants) -> list[Any]:
    """Return all nodes of a statement in which each is known to read."""
    nodes: list[Any] = []
    for node, depth in walk(root):
        kind = type(node).__name__
        if kind not in READING:
            raise _refuse_node(kind)
        if depth > MAX_DEPTH:
            raise Rejected(
                "sql/nesting",
                f"An expression nests more than {MAX_DEPTH} levels deep.",
                "Write long sums or conditions as IN (…), = ANY (…) or a join.",
            )
        if kind == "ParamRef":
            check_parameter(node, parameters)
        rule = RULES.get(kind)
        if rule is not None and not is_granted(node, grants):
            rule(node)
        nodes.append(node)
    return nodes


def _collect_uses(nodes: Iterable[Any]) -> Uses:
    collector = UseCollector()
    for node in nodes:
        collector.add(node)
    uses = collector.finish()
    check_unowned_fields(uses.fields)
    return uses


def _refuse_node(kind: str) -> Rejected:
    if kind in WRITING or kind.endswith("Stmt"):
        return Rejected(
            "read-only/clause",
            f"{spell_statement(kind)} is not allowed inside a statement.",
            "Leave it out; only reading is possible here.",
        )
    return Rejected(
        "sql/construct",
        f"The construct {kind} is not known to be read-only.",
        "Write the query without it.",
    )


def _cut_text(sql: str, raw: Any) -> str:
    start = raw.stmt_location or 0
    end = start + raw.stmt_len if raw.stmt_len else len(sql)
    return sql[start:end].strip()
