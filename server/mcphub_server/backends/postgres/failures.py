"""asyncpg's errors as this project's: the only place that knows its exceptions.

PostgreSQL puts cell values into messages (`invalid input syntax for type integer:
"4711"`), so the server's own text passes only for errors found while a statement is
analysed, when no row has been read yet. Everything else is told by the table in
`sqlstates`. Whether a connection is lost, the connection itself says.
"""

import re
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg

from mcphub_server.backends.causes import walk_causes
from mcphub_server.backends.postgres import sqlstates
from mcphub_server.backends.postgres.bounded import MessageTooLarge
from mcphub_server.backends.postgres.sqlstates import find_meaning
from mcphub_server.config.backends import SslMode
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    QueryFailed,
    QueryTimeout,
    ToolFailure,
)

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

PGBOUNCER_CODE = "08P01"
SUPAVISOR_CODE = "XX000"

POOLER_TEXTS: tuple[tuple[str, str, BackendReason, str], ...] = (
    (
        PGBOUNCER_CODE,
        "authentication failed",
        BackendReason.BAD_CREDENTIALS,
        "user name or password is wrong",
    ),
    (
        PGBOUNCER_CODE,
        "no such database",
        BackendReason.UNKNOWN_DATABASE,
        "the pooler has no such database",
    ),
    (
        PGBOUNCER_CODE,
        "does not exist",
        BackendReason.UNKNOWN_DATABASE,
        "the server behind the pooler has no such database",
    ),
    (
        PGBOUNCER_CODE,
        "no more connections allowed",
        BackendReason.TOO_MANY_CONNECTIONS,
        "the pooler has no connection free",
    ),
    (
        PGBOUNCER_CODE,
        "query_wait_timeout",
        BackendReason.TOO_MANY_CONNECTIONS,
        "the pooler found no connection to its database free in time",
    ),
    (
        PGBOUNCER_CODE,
        "server login",
        BackendReason.CONNECTION_REFUSED,
        "the pooler cannot log in to its database",
    ),
    (
        PGBOUNCER_CODE,
        "startup parameter",
        BackendReason.ERROR,
        (
            "the pooler does not take a parameter of the login; its administrator has "
            "to add it to ignore_startup_parameters"
        ),
    ),
    (
        PGBOUNCER_CODE,
        "shutting down",
        BackendReason.ERROR,
        "the pooler is shutting down",
    ),
    (
        PGBOUNCER_CODE,
        "paused",
        BackendReason.ERROR,
        "the pooler's database is paused",
    ),
    (
        PGBOUNCER_CODE,
        "connect",
        BackendReason.CONNECTION_REFUSED,
        "the pooler cannot reach its database",
    ),
    (
        SUPAVISOR_CODE,
        "tenant",
        BackendReason.BAD_CREDENTIALS,
        "the pooler knows no such user; Supavisor's are written as role.tenant",
    ),
    (
        SUPAVISOR_CODE,
        "max client",
        BackendReason.TOO_MANY_CONNECTIONS,
        "the pooler has no connection free",
    ),
)
"""Poolers answer most refusals with one code and say more in their text only: the code,
a part of the text, and what it means.

They know no language but English. PostgreSQL's own texts are never read.
"""

TLS_WORDS = {
    SslMode.DISABLE: "without TLS (sslMode disable)",
    SslMode.ALLOW: "without TLS or with it (sslMode allow)",
    SslMode.PREFER: "with TLS or without it (sslMode prefer)",
}


@dataclass(frozen=True, slots=True)
class Login:
    """What a login was tried with; for the message that says why it failed.

    Attributes:
        backend: The backend's name.
        database: The database's name.
        ssl_mode: How the connection was to be secured.
    """

    backend: str
    database: str = ""
    ssl_mode: SslMode = SslMode.PREFER


@dataclass(frozen=True, slots=True)
class Attempt:
    """A statement that failed.

    Attributes:
        backend: The backend's name.
        analysed: The statement had been accepted and was running.
        connection_lost: The connection is gone.
        elapsed_seconds: How long it ran.
        timeout_seconds: What it had.
    """

    backend: str
    analysed: bool
    connection_lost: bool = False
    elapsed_seconds: float = 0.0
    timeout_seconds: float = 30.0

    @property
    def used_up_its_time(self) -> bool:
        """Tell a timeout from a cancel: the server's code is the same."""
        return self.elapsed_seconds >= TIMEOUT_SHARE * self.timeout_seconds


TIMEOUT_SHARE = 0.95


def translate_connect_error(login: Login, error: BaseException) -> BackendUnavailable:
    """Say why a connection could not be made, in none of the driver's words."""
    if isinstance(error, asyncpg.PostgresError):
        reason, problem = find_server_refusal(login, error)
    else:
        reason, problem = find_connect_reason(error)
    name = login.backend
    return BackendUnavailable(name, reason, f"{name} is unavailable: {problem}.")


def find_connect_reason(error: BaseException) -> tuple[BackendReason, str]:
    """Return why no connection came about, as seen from this side."""
    if isinstance(error, ConnectionError) and "rejected SSL" in str(error):
        return BackendReason.TLS_FAILURE, "the server does not speak TLS"
    for kind, reason, problem in CLIENT_SIDE:
        if isinstance(error, kind):
            return reason, problem
    return BackendReason.ERROR, "the connection could not be made"


def find_server_refusal(
    login: Login, error: asyncpg.PostgresError
) -> tuple[BackendReason, str]:
    """Return why the server, or a pooler before it, turned the connection away."""
    code = error.sqlstate or ""
    text = str(error).lower()
    for pooler_code, part, reason, problem in POOLER_TEXTS:
        if code == pooler_code and part in text:
            return reason, problem
    meaning = find_meaning(sqlstates.LOGIN, code)
    problem = meaning.sentence.format(
        tls=TLS_WORDS.get(login.ssl_mode, f"with TLS (sslMode {login.ssl_mode.value})"),
        database=quote_identifier(login.database),
    )
    return meaning.reason or BackendReason.ERROR, f"{problem} ({code})"


def quote_identifier(name: str) -> str:
    """Return a name as SQL takes it."""
    if PLAIN_NAME.fullmatch(name):
        return name
    return '"' + name.replace('"', '""') + '"'


PLAIN_NAME = re.compile("[a-z_][a-z0-9_]*")


def is_connection_loss(error: BaseException) -> bool:
    """Tell whether the driver found the connection gone.

    A PostgresError says nothing of that: a statement may raise any code.
    """
    if isinstance(error, asyncpg.PostgresError):
        return False
    if isinstance(error, asyncpg.InternalClientError):
        return DIED_UNNOTICED in str(error)
    # a ValueError is about an argument; counted as a loss, a statement that a client
    # repeats would close the database to all others
    if isinstance(error, (*OUR_SIDE, ValueError)):
        return False
    return isinstance(error, asyncpg.InterfaceError | OSError)


def translate_query_error(attempt: Attempt, error: BaseException) -> ToolFailure:
    """Say why a statement failed, and whether it or the backend is at fault."""
    causes = list(walk_causes(error))
    if any(isinstance(cause, MessageTooLarge) for cause in causes):
        return QueryFailed(
            "The database's answer has a row, or an error that repeats a value, of "
            "more bytes than this server reads; shorten values, as in left(x, 1000)."
        )
    if attempt.connection_lost or is_connection_loss(error):
        return describe_loss(attempt.backend, causes)
    if not isinstance(error, asyncpg.PostgresError):
        return QueryFailed(
            "A column or a parameter is of a type that this server cannot read;"
            " cast it to text, as in (x)::text."
        )
    return describe_refusal(attempt, error)


def describe_loss(backend: str, causes: Iterable[BaseException]) -> BackendUnavailable:
    """Say that a connection was lost, with the server's last word on it."""
    codes = [
        cause.sqlstate or ""
        for cause in causes
        if isinstance(cause, asyncpg.PostgresError)
    ]
    # the driver's own ConnectionDoesNotExistError comes first
    meaning = find_meaning(sqlstates.LOST, codes[-1] if codes else "")
    reason = meaning.reason or BackendReason.ERROR
    return BackendUnavailable(
        backend, reason, f"{backend} is unavailable: {meaning.sentence}."
    )


def describe_refusal(attempt: Attempt, error: asyncpg.PostgresError) -> ToolFailure:
    """Say what is wrong with a statement; the connection is as good as before."""
    code = error.sqlstate or "XX000"
    if code == sqlstates.CANCELLED and attempt.used_up_its_time:
        return QueryTimeout(
            f"The statement ran longer than {attempt.timeout_seconds:g} s and was "
            "stopped; add conditions, aggregate, or ask for fewer rows."
        )
    meaning = find_meaning(sqlstates.STATEMENT, code)
    if attempt.analysed or meaning.retry or code in sqlstates.OF_A_POOLER:
        problem = meaning.sentence
        failure = QueryFailed(f"{problem[0].upper()}{problem[1:]} ({code}).", code)
    else:
        failure = QueryFailed(describe_analysis_error(error, code), code)
    if meaning.retry:
        failure.retry_after_seconds = 1.0
    return failure


def describe_analysis_error(error: asyncpg.PostgresError, code: str) -> str:
    """Repeat the server's own text with its hint and position; no row is in it."""
    parts = [f"{error.message or 'The statement is wrong'} ({code})."]
    if error.hint:
        parts.append(str(error.hint))
    if error.position:
        parts.append(f"At character {error.position}.")
    return " ".join(parts)
