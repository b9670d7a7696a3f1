"""asyncpg's errors as this project's: the only place that knows its exceptions.

PostgreSQL puts cell values into messages (`invalid input syntax for type integer:
"4711"`), so the server's own text passes only for errors found while a statement is
analysed, when no row has been read yet. What fails while it runs is told by SQLSTATE.
"""

import socket
import ssl

import asyncpg

from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    QueryFailed,
    QueryTimeout,
    ToolFailure,
)

LOST = "08"
"""SQLSTATE class of connection exceptions."""

RUNTIME_MESSAGES = {
    "21000": "a subquery that must give one row gives several; add LIMIT 1 or IN",
    "22000": "a value does not fit the type that the statement gives it",
    "22001": "a value is too long for its type",
    "22003": "a number is out of its type's range; cast to numeric",
    "22007": "a text is not a valid date or time",
    "22008": "a date or time is out of range",
    "22012": "division by zero; wrap the divisor in NULLIF(…, 0)",
    "22021": "a text holds a character that the database cannot store",
    "22023": "a function was given a value that it does not take",
    "22025": "an escape sequence in a pattern is malformed",
    "2201B": "a regular expression is malformed",
    "22P02": "a text cannot be read as the type that it is cast to; filter the rows "
    "before the cast",
    "25006": "the statement tries to write, and this connection only reads",
    "2F003": "a function that the statement calls tries to write",
    "42501": "permission denied: the hub's role may not read all that this needs",
    "53100": "the database server has no disk space left for this; ask for less",
    "53200": "the database server has no memory left for this; ask for less",
    "54001": "the statement is nested too deeply",
    "54011": "the statement has too many columns; name fewer",
    "57014": "the statement was cancelled",
}


DRIVER_ERRORS = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What a call to asyncpg may raise; a timeout is an OSError."""

OUR_SIDE = (asyncpg.UnsupportedClientFeatureError, asyncpg.ClientConfigurationError)
"""Interface errors that say nothing of the connection: it goes on."""

DIED_UNNOTICED = "cannot switch to state"
"""asyncpg's internal error when the other side closed the connection just now."""

CLIENT_SIDE: tuple[tuple[type[BaseException], BackendReason, str], ...] = (
    (socket.gaierror, BackendReason.DNS_FAILURE, "its host name does not resolve"),
    (
        ConnectionRefusedError,
        BackendReason.CONNECTION_REFUSED,
        "nothing listens at its host and port",
    ),
    (TimeoutError, BackendReason.TIMEOUT, "it did not answer in time"),
    (ssl.SSLError, BackendReason.TLS_FAILURE, "the TLS handshake failed"),
    (ConnectionError, BackendReason.ERROR, "the other side closed the connection"),
    (OSError, BackendReason.CONNECTION_REFUSED, "its host cannot be reached"),
)
"""What this side of the connection sees, most specific first."""

SERVER_SIDE: tuple[tuple[str, str, BackendReason, str], ...] = (
    (
        "28000",
        "no encryption",
        BackendReason.TLS_FAILURE,
        "the server demands TLS; set sslMode to require or better",
    ),
    ("28", "", BackendReason.BAD_CREDENTIALS, "user name or password is wrong"),
    (
        "08",
        "authentication failed",
        BackendReason.BAD_CREDENTIALS,
        "user name or password is wrong",
    ),
    ("3D000", "", BackendReason.UNKNOWN_DATABASE, "the server has no such database"),
    (
        "08",
        "no such database",
        BackendReason.UNKNOWN_DATABASE,
        "the pooler has no such database",
    ),
    (
        "08",
        "does not exist",
        BackendReason.UNKNOWN_DATABASE,
        "the server behind the pooler has no such database",
    ),
    (
        "53300",
        "",
        BackendReason.TOO_MANY_CONNECTIONS,
        "the server has no connection free",
    ),
    (
        "08",
        "no more connections allowed",
        BackendReason.TOO_MANY_CONNECTIONS,
        "the pooler has no connection free",
    ),
    ("57P03", "", BackendReason.ERROR, "the server is starting or stopping"),
    (
        "08",
        "connect",
        BackendReason.CONNECTION_REFUSED,
        "the pooler cannot reach its database",
    ),
)
"""What the server answers: SQLSTATE (or its class), a part of its text, the meaning.

PgBouncer answers most of its refusals with 08P01 and says more in its text only.
"""


def translate_connect_error(name: str, error: BaseException) -> BackendUnavailable:
    """Say why a connection could not be made, in none of the driver's words."""
    if isinstance(error, asyncpg.PostgresError):
        reason, problem = find_server_refusal(error.sqlstate or "", str(error))
    else:
        reason, problem = find_connect_reason(error)
    return BackendUnavailable(name, reason, f"{name} is unavailable: {problem}.")


def find_connect_reason(error: BaseException) -> tuple[BackendReason, str]:
    """Return why no connection came about, as seen from this side."""
    if isinstance(error, ConnectionError) and "rejected SSL" in str(error):
        return BackendReason.TLS_FAILURE, "the server does not speak TLS"
    for kind, reason, problem in CLIENT_SIDE:
        if isinstance(error, kind):
            return reason, problem
    return BackendReason.ERROR, "the connection could not be made"


def find_server_refusal(code: str, text: str) -> tuple[BackendReason, str]:
    """Return why the server, or a pooler before it, turned the connection away."""
    for prefix, part, reason, problem in SERVER_SIDE:
        if code.startswith(prefix) and part in text.lower():
            return reason, problem
    return BackendReason.ERROR, f"the server refused the connection ({code})"


def is_connection_loss(error: BaseException) -> bool:
    """Tell whether the connection is gone, as opposed to the statement being wrong."""
    if isinstance(error, asyncpg.PostgresError):
        code = error.sqlstate or ""
        return code.startswith(LOST) or code in {"57P01", "57P02", "57P03", "57P05"}
    if isinstance(error, asyncpg.InternalClientError):
        return DIED_UNNOTICED in str(error)
    # a ValueError is about an argument; counted as a loss, a statement that a client
    # repeats would close the database to all others
    if isinstance(error, (*OUR_SIDE, ValueError)):
        return False
    return isinstance(error, asyncpg.InterfaceError | OSError)


def translate_query_error(
    name: str, error: BaseException, *, analysed: bool, timeout_seconds: float
) -> ToolFailure:
    """Say why a statement failed.

    Args:
        name: The backend.
        error: What asyncpg raised.
        analysed: Whether the statement had been accepted and was running.
        timeout_seconds: What the statement had, for the message.
    """
    if is_connection_loss(error):
        return BackendUnavailable(
            name,
            BackendReason.ERROR,
            f"{name} is unavailable: the connection was lost during the call; "
            "try again.",
        )
    if not isinstance(error, asyncpg.PostgresError):
        return QueryFailed(
            "A column or a parameter is of a type that this server cannot read;"
            " cast it to text, as in (x)::text."
        )
    code = error.sqlstate or "XX000"
    if code == "57014":
        return QueryTimeout(
            f"The statement ran longer than {timeout_seconds:g} s and was stopped; "
            "add conditions, aggregate, or ask for fewer rows."
        )
    if analysed:
        problem = RUNTIME_MESSAGES.get(code, "the statement failed while it ran")
        return QueryFailed(f"{problem[0].upper()}{problem[1:]} ({code}).", code)
    return QueryFailed(describe_analysis_error(error, code), code)


def describe_analysis_error(error: asyncpg.PostgresError, code: str) -> str:
    """Repeat the server's own text with its hint and position; no row is in it."""
    parts = [f"{error.message or 'The statement is wrong'} ({code})."]
    if error.hint:
        parts.append(str(error.hint))
    if error.position:
        parts.append(f"At character {error.position}.")
    return " ".join(parts)
