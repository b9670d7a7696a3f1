"""What each class of SQLSTATE means for a caller: the one table of PostgreSQL's errors.

A row's `code` is a SQLSTATE or its first two digits; the longest that fits counts. The
same code means different things when the server refuses a login, when it fails a
statement and when it ends a connection, so there are three tables. Only a row with a
`reason` makes the backend unavailable and counts for its circuit: a statement can carry
any code, 08006 and 57P01 included, while the connection is as good as before.

The table in docs/databases.md is made from these by `render`; a test compares the two.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mcphub_server.errors import BackendReason


class Kind(StrEnum):
    """The words of `_meta["mcphub/error"].kind`."""

    FAILED = "query_failed"
    TIMEOUT = "query_timeout"
    UNAVAILABLE = "backend_unavailable"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One class of errors.

    Attributes:
        code: A SQLSTATE, its class, or "" for all others.
        sentence: What is wrong and what to do, without a final stop.
        reason: Why the backend is unavailable; None if it is not.
        kind: What a caller's program is told.
        retry: Whether the same call may succeed a second later.
    """

    code: str
    sentence: str
    reason: BackendReason | None = None
    kind: Kind = Kind.FAILED
    retry: bool = False


def _unavailable(code: str, reason: BackendReason, sentence: str) -> Meaning:
    return Meaning(code, sentence, reason, Kind.UNAVAILABLE)


LOGIN: Sequence[Meaning] = (
    _unavailable(
        "28P01", BackendReason.BAD_CREDENTIALS, "user name or password is wrong"
    ),
    _unavailable(
        "28",
        BackendReason.ACCESS_DENIED,
        "the server admits no such login: pg_hba.conf has no entry for this address, "
        "user and database {tls}, or the role may not log in",
    ),
    _unavailable(
        "42501",
        BackendReason.ACCESS_DENIED,
        "the role may not connect to the database; run GRANT CONNECT ON DATABASE "
        "{database} TO the hub's role",
    ),
    _unavailable(
        "3D000", BackendReason.UNKNOWN_DATABASE, "the server has no such database"
    ),
    _unavailable(
        "55000",
        BackendReason.ACCESS_DENIED,
        "the database accepts no connections (ALLOW_CONNECTIONS is false)",
    ),
    _unavailable(
        "53300",
        BackendReason.TOO_MANY_CONNECTIONS,
        "the server, the database or the role has no connection free",
    ),
    _unavailable(
        "53", BackendReason.ERROR, "the server is out of disk space, memory or files"
    ),
    _unavailable(
        "57P03", BackendReason.ERROR, "the server is starting, stopping or recovering"
    ),
    _unavailable("57", BackendReason.ERROR, "the server ended the login"),
    _unavailable(
        "08", BackendReason.ERROR, "the connection was closed during the login"
    ),
    _unavailable("", BackendReason.ERROR, "the server refused the connection"),
)
"""The server, or a pooler before it, refuses a login."""

LOST: Sequence[Meaning] = (
    _unavailable(
        "57P01",
        BackendReason.ERROR,
        "an administrator ended the connection or stops the server; try again",
    ),
    _unavailable(
        "57P02", BackendReason.ERROR, "the server restarts after a crash; try again"
    ),
    _unavailable(
        "57P05",
        BackendReason.ERROR,
        "the server closed the connection because it was idle; try again",
    ),
    _unavailable("57P04", BackendReason.UNKNOWN_DATABASE, "the database was dropped"),
    _unavailable(
        "40001",
        BackendReason.ERROR,
        "a standby ended the connection because of its recovery; try again",
    ),
    _unavailable(
        "25P0", BackendReason.TIMEOUT, "the server's time for a transaction was over"
    ),
    _unavailable(
        "", BackendReason.ERROR, "the connection was lost during the call; try again"
    ),
)
"""The connection is gone; the code is the server's last word, if there was one."""

STATEMENT: Sequence[Meaning] = (
    Meaning(
        "08",
        "a server that the statement itself connects to, such as a foreign server, "
        "cannot be reached",
    ),
    Meaning("0A", "PostgreSQL does not support this here"),
    Meaning("21000", "a subquery that must give one row gives several; add LIMIT 1"),
    Meaning("22001", "a value is too long for its type"),
    Meaning("22003", "a number is out of its type's range; cast to numeric"),
    Meaning("22007", "a text is not a valid date or time"),
    Meaning("22008", "a date or time is out of range"),
    Meaning("22012", "division by zero; wrap the divisor in NULLIF(…, 0)"),
    Meaning(
        "22021",
        "a text holds a character that cannot be stored, or bytes that are not text; "
        "in a database with encoding "
        "SQL_ASCII select convert_to(column, 'SQL_ASCII') to get the bytes",
    ),
    Meaning("22023", "a function was given a value that it does not take"),
    Meaning("22025", "an escape sequence in a pattern is malformed"),
    Meaning(
        "22P05",
        "a text holds a character that this database's encoding cannot express",
    ),
    Meaning("2201B", "a regular expression is malformed"),
    Meaning(
        "22P02",
        "a text cannot be read as the type that it is cast to; filter the rows "
        "before the cast",
    ),
    Meaning("22", "a value does not fit what the statement does with it"),
    Meaning(
        "23", "a value does not meet the conditions of the domain that it is cast to"
    ),
    Meaning("25006", "the statement tries to write, and this connection only reads"),
    Meaning("25", "the statement is not possible in a read-only transaction"),
    Meaning(
        "26000",
        "the prepared statement is gone: a pooler in transaction mode stands in "
        "between, and the administrator has to set pooler to true",
    ),
    Meaning(
        "42P05",
        "the prepared statement exists already: a pooler in transaction mode stands "
        "in between, and the administrator has to set pooler to true",
    ),
    Meaning("28", "a foreign server refuses the login of its user mapping"),
    Meaning("2F003", "a function that the statement calls tries to write"),
    Meaning("2F", "a function that the statement calls failed"),
    Meaning("38", "a function that the statement calls failed"),
    Meaning("39", "a function that the statement calls failed"),
    Meaning(
        "40",
        "the statement was stopped in favour of another one, or of a standby's "
        "recovery; try again",
        retry=True,
    ),
    Meaning(
        "42501", "permission denied: the hub's role may not read all that this needs"
    ),
    Meaning("42", "a name, a type or a definition that the statement uses is wrong"),
    Meaning(
        "53100", "the database server has no disk space left for this; ask for less"
    ),
    Meaning("53200", "the database server has no memory left for this; ask for less"),
    Meaning("53", "the database server has no resources left for this; ask for less"),
    Meaning("54001", "the statement is nested too deeply"),
    Meaning("54011", "the statement has too many columns; name fewer"),
    Meaning("54", "the statement or a value exceeds one of PostgreSQL's limits"),
    Meaning(
        "55P03",
        "another session has locked a table that the statement reads; try again",
        retry=True,
    ),
    Meaning("55", "an object that the statement reads cannot be read at the moment"),
    Meaning(
        "57014",
        "the statement was cancelled before its time was over, by an administrator "
        "or another program; try again",
        retry=True,
    ),
    Meaning("57", "the database server interrupted the statement"),
    Meaning("58", "the database server cannot read one of its files"),
    Meaning(
        "72",
        "rows that the statement reads were removed meanwhile; try again",
        retry=True,
    ),
    Meaning("F0", "the database server cannot read its configuration"),
    Meaning("HV", "a foreign table cannot be read from its server"),
    Meaning("P0", "a function that the statement calls failed"),
    Meaning("XX", "the database server has an internal error or damaged data"),
    Meaning("", "the statement failed while it ran"),
)
"""A statement fails while it runs, and the connection is as good as before."""

CANCELLED = "57014"
"""What PostgreSQL calls a timeout, too; only the time that has passed tells them
apart, for the text is in the server's language."""

OF_A_POOLER = frozenset({"26000", "42P05"})
"""About the driver's statements and not the caller's, whenever they come: what the
server and the driver say of them would not help a caller."""


def find_meaning(table: Sequence[Meaning], code: str) -> Meaning:
    """Return the row of the longest code that fits."""
    fitting = (row for row in table if code.startswith(row.code))
    return max(fitting, key=lambda row: len(row.code))


def render() -> str:
    """Return the documentation's table."""
    return "\n".join(_render_lines())


def _render_lines() -> Iterator[str]:
    yield "| SQLSTATE | while | kind | reason | message |"
    yield "|---|---|---|---|---|"
    for name, table in (
        ("login", LOGIN),
        ("connection lost", LOST),
        ("statement", STATEMENT),
    ):
        for row in table:
            code = f"`{row.code}…`" if row.code else "others"
            exact = f"`{row.code}`" if len(row.code) == 5 else code  # noqa: PLR2004
            reason = f"`{row.reason.value}`" if row.reason else ""
            sentence = row.sentence.format(tls="(over TLS or not)", database="…")
            yield f"| {exact} | {name} | `{row.kind.value}` | {reason} | {sentence} |"
