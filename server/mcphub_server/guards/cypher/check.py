"""Let one reading Cypher statement through, or say which rule it breaks.

A grammar allow-list for what Neo4j's own classification passes: LOAD CSV, SHOW,
TERMINATE and APOC's readers of files and addresses all count as reads there. That
EXPLAIN calls the statement's type exactly `r`, and that its session may only read,
the backend sees to.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from neo4j_guard._checker import CLAUSE_RULES
from neo4j_guard._parser.Cypher25Parser import Cypher25Parser as Grammar

from mcphub_server.errors import Rejected
from mcphub_server.guards.cypher import routines
from mcphub_server.guards.cypher.parse import parse, walk
from mcphub_server.guards.cypher.text import normalise, split_prefix

READING_CLAUSES = frozenset(
    {
        "CALL",
        "FILTER",
        "FINISH",
        "FOR",
        "LET",
        "MATCH",
        "ORDER BY",
        "RETURN",
        "UNWIND",
        "WITH",
    }
)

SCHEMA_COMMANDS = (
    "ShowIndexCommand",
    "ShowConstraint",
    "ShowCurrentGraphType",
    "ShowProcedures",
    "ShowFunctions",
)
"""What SHOW may show: queries of vectors and texts need the names of indexes, and
statements those of functions. What another user may execute stays closed."""

PARTS = frozenset(
    {
        "ShowCommandYieldContext",
        "ShowCommandYieldWhereContext",
        "ShowIndexTypeContext",
        "ShowIndexesEndContext",
    }
)

_ALLOWED = (
    "Allowed are MATCH, WITH, UNWIND, CALL { … } and CALL of reading procedures,"
    " ORDER BY and RETURN; for the schema CALL db.labels(),"
    " db.relationshipTypes() or db.schema.visualization()."
)


@dataclass(frozen=True, slots=True)
class CypherStatement:
    """One checked statement.

    Attributes:
        text: What to send: no escapes, no EXPLAIN, no final semicolon.
        explain: The caller asked for the plan and not for rows.
        fingerprint: Equal for equal texts; ties a cursor to its statement.
        parameters: The names of the parameters that it needs.
        query_type: What EXPLAIN has to call it: "r", a read; "s" where it calls a
            reading procedure that Neo4j counts among the server's own.
    """

    text: str
    explain: bool
    fingerprint: str
    parameters: frozenset[str]
    query_type: str = "r"


def check_cypher(cypher: str) -> CypherStatement:
    """Return the statement if it only reads.

    Raises:
        Rejected: It is no single statement, or has a part that is not known to read.
    """
    explain, text = split_prefix(normalise(cypher))
    if not text.strip("; \n\r\t"):
        raise Rejected("cypher/empty", "There is no statement.", _ALLOWED)
    tree = parse(text)
    statements = tree.statement()
    if len(statements) != 1:
        raise Rejected(
            "cypher/one-statement",
            f"There are {len(statements)} statements.",
            "Send one a call.",
        )
    nodes = [*walk(tree)]
    parameters = {name for node in nodes if (name := _check_node(node))}
    query_type = "s" if any(map(_calls_server, nodes)) else "r"
    sent = _source(statements[0])
    digest = sha256(f"{explain}{sent}".encode()).hexdigest()[:32]
    return CypherStatement(sent, explain, digest, frozenset(parameters), query_type)


def _check_node(node: Any) -> str | None:
    """Refuse what is not known to read; return a parameter's name."""
    kind = type(node)
    if kind is Grammar.CommandContext:
        raise _refuse(_name_command(node))
    if kind is Grammar.ClauseContext and not _is_known_clause(node.getChild(0)):
        raise _refuse(_name_command(node))
    if kind in CLAUSE_RULES and CLAUSE_RULES[kind] not in READING_CLAUSES:
        raise _refuse(CLAUSE_RULES[kind])
    if kind is Grammar.SubqueryInTransactionsParametersContext:
        raise _refuse("CALL { … } IN TRANSACTIONS")
    if kind is Grammar.ProcedureNameContext:
        _check_procedure(_qualify(node))
    elif kind is Grammar.FunctionNameContext:
        _check_function(_qualify(node))
    elif kind is Grammar.ParameterNameContext:
        return _unquote(node.getText())
    return None


def _is_known_clause(clause: Any) -> bool:
    """Tell whether a clause is judged by its rule, or shows the schema."""
    if type(clause) in CLAUSE_RULES:
        return True
    nodes = [*walk(clause)]
    names = [type(node).__name__ for node in nodes]
    shown = [name for name in names if name.startswith("Show") and name not in PARTS]
    return (
        bool(shown)
        and not any(map(_names_user, nodes))
        and all(name.startswith(SCHEMA_COMMANDS) for name in shown)
    )


def _names_user(node: Any) -> bool:
    """Tell whether a node is EXECUTABLE BY another user than the hub's own."""
    is_privilege = type(node) is Grammar.ExecutableByContext
    return is_privilege and node.symbolicNameString() is not None


def _name_command(node: Any) -> str:
    # Two words: what follows may be a password.
    return " ".join(_source(node).split()[:2])


def _refuse(what: str) -> Rejected:
    return Rejected(
        "read-only/clause", f"{what} is not allowed; only reading is.", _ALLOWED
    )


def _check_procedure(name: str) -> None:
    if not routines.is_reading_procedure(name):
        raise Rejected(
            "read-only/procedure",
            f"The procedure {name} is not one that this server knows to only read"
            " this graph.",
            "Use MATCH, or a procedure such as db.labels or"
            " db.index.fulltext.queryNodes.",
        )


def _calls_server(node: Any) -> bool:
    if type(node) is not Grammar.ProcedureNameContext:
        return False
    return _qualify(node).lower() in routines.SERVER_PROCEDURES


def _check_function(name: str) -> None:
    if not routines.is_reading_function(name):
        raise Rejected(
            "read-only/function",
            f"The function {name} is not one that this server knows to only compute.",
            "Use Cypher's own functions or APOC's of text, coll, map, date, math.",
        )


def _qualify(node: Any) -> str:
    parts = [*node.namespace().symbolicNameString(), node.symbolicNameString()]
    return ".".join(_unquote(part.getText()) for part in parts)


def _unquote(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name


def _source(node: Any) -> str:
    stream = node.start.getInputStream()
    return str(stream.getText(node.start.start, node.stop.stop))
