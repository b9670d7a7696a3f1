"""The one place where what the Neo4j driver raises becomes this project's errors.

Neo4j's own words pass only for what EXPLAIN finds: nothing has read a node by then,
so they can quote nothing but the caller's statement. While a statement runs the same
codes carry data (`date(n.birthday)` fails with a SyntaxError that quotes the
property), so those are told by their code alone.
"""

import re
import socket
import ssl

from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    ConnectionAcquisitionTimeoutError,
    DriverError,
    Neo4jError,
    UnsupportedServerProduct,
)

from mcphub_server.backends.causes import walk_causes
from mcphub_server.backends.neo4j.metering import RecordTooLarge
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    LimitExceeded,
    QueryFailed,
    QueryTimeout,
    ToolFailure,
)

LONGEST_MESSAGE = 300

UNSUPPORTED = (ConfigurationError, UnsupportedServerProduct)
"""The driver finds the server's protocol too old for what it was told to do."""

BACKEND_REASONS = {
    "Neo.ClientError.Security.Unauthorized": BackendReason.BAD_CREDENTIALS,
    "Neo.ClientError.Security.AuthenticationRateLimit": BackendReason.BAD_CREDENTIALS,
    "Neo.ClientError.Security.CredentialsExpired": BackendReason.BAD_CREDENTIALS,
    "Neo.ClientError.Security.TokenExpired": BackendReason.BAD_CREDENTIALS,
    "Neo.ClientError.Security.AuthProviderFailed": BackendReason.ERROR,
    "Neo.ClientError.Security.AuthProviderTimeout": BackendReason.TIMEOUT,
    "Neo.ClientError.Security.EncryptionRequired": BackendReason.TLS_FAILURE,
    "Neo.ClientError.Database.DatabaseNotFound": BackendReason.UNKNOWN_DATABASE,
    "Neo.TransientError.Request.NoThreadsAvailable": BackendReason.TOO_MANY_CONNECTIONS,
    "Neo.TransientError.General.DatabaseUnavailable": BackendReason.ERROR,
    "Neo.TransientError.Database.DatabaseUnavailable": BackendReason.ERROR,
}

ALWAYS_QUOTABLE = frozenset({"Neo.ClientError.Statement.ParameterMissing"})
"""Found after EXPLAIN, but about the statement's own words."""

TIMEOUT_CODES = frozenset(
    {
        "Neo.ClientError.Transaction.TransactionTimedOut",
        "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
    }
)

TERMINATED_CODES = frozenset(
    {
        "Neo.TransientError.Transaction.Terminated",
        "Neo.ClientError.Transaction.Terminated",  # what the driver makes of it
        "Neo.ClientError.Transaction.TransactionTerminated",
    }
)
"""By TERMINATE TRANSACTION, or because the database stops; a timeout has its own."""

PASSING_CODES = (
    "Neo.TransientError.Transaction.",
    "Neo.ClientError.Transaction.LockClientStopped",  # likewise renamed by the driver
    "Neo.ClientError.Cluster.NotALeader",
    "Neo.TransientError.Cluster.",
    "Neo.TransientError.Schema.",
    "Neo.TransientError.Security.",
    "Neo.TransientError.Network.",
    "Neo.ClientError.Security.AuthorizationExpired",
)
"""Beginnings of codes of what is over a moment later, such as deadlocks."""

DATABASE_ERRORS = "Neo.DatabaseError."

RETRY_SECONDS = 1.0

WRITES = "the statement tries to write, and this connection only reads"

OUT_OF_MEMORY = (
    "it needs more memory than the database grants; match fewer paths or aggregate "
    "less at once"
)

EXPLANATIONS = {
    "Neo.ClientError.Statement.ArithmeticError": (
        "a division by zero or a number out of range; guard it with CASE WHEN"
    ),
    "Neo.ClientError.Statement.TypeError": (
        "a value has a type that the operation does not take; convert it, for "
        "example with toIntegerOrNull() or toStringOrNull()"
    ),
    "Neo.ClientError.Statement.SyntaxError": (
        "a value cannot be read as what a function expects, for example as a date"
    ),
    "Neo.ClientError.Statement.ArgumentError": (
        "a function or procedure was given an argument that it does not take"
    ),
    "Neo.ClientError.Procedure.ProcedureCallFailed": (
        "a procedure failed; check its arguments, for example the index name"
    ),
    **dict.fromkeys(
        TERMINATED_CODES,
        "it was terminated before its time was over, by an administrator or because "
        "the database stops; try again",
    ),
    "Neo.ClientError.Security.Forbidden": (
        "the hub's user may not read this; leave it out"
    ),
    "Neo.TransientError.General.MemoryPoolOutOfMemoryError": OUT_OF_MEMORY,
    "Neo.TransientError.General.OutOfMemoryError": OUT_OF_MEMORY,
    "Neo.TransientError.General.TransactionOutOfMemoryError": OUT_OF_MEMORY,
    "Neo.ClientError.General.TransactionOutOfMemoryError": OUT_OF_MEMORY,
    "Neo.TransientError.General.StackOverFlowError": (
        "an expression nests too deeply; compute its inner parts in a WITH before"
    ),
    "Neo.ClientError.Statement.AccessMode": WRITES,
    "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase": WRITES,
    "Neo.ClientError.General.WriteOnReadOnlyAccessDatabase": WRITES,
    "Neo.ClientError.Statement.EntityNotFound": (
        "what the statement reads was deleted meanwhile; try again"
    ),
}

REASON_ADVICE = {
    BackendReason.DNS_FAILURE: "its host name does not resolve",
    BackendReason.CONNECTION_REFUSED: "nothing listens at its address",
    BackendReason.TIMEOUT: "it does not answer in time",
    BackendReason.BAD_CREDENTIALS: "it refuses the hub's user name or password",
    BackendReason.TLS_FAILURE: (
        "no secure connection comes about; neo4j+s:// needs TLS on the database's "
        "side and a trusted certificate, neo4j:// needs a side that allows plain text"
    ),
    BackendReason.UNKNOWN_DATABASE: "it has no database of the configured name",
    BackendReason.TOO_MANY_CONNECTIONS: "all of its connections are in use",
    BackendReason.ERROR: "the connection broke or the database is not ready",
}


def translate_failure(
    backend: str, error: BaseException, *, explaining: bool = False
) -> ToolFailure:
    """Return what the caller may read about a driver's error.

    Args:
        backend: The backend's name.
        error: A Neo4jError, DriverError, OSError or TimeoutError.
        explaining: Whether it came from EXPLAIN, before any data was read.
    """
    too_large = next(
        (e for e in walk_causes(error) if isinstance(e, RecordTooLarge)), None
    )
    if too_large is not None:
        return QueryFailed(
            f"One row of the result exceeds {too_large.budget_bytes} bytes. Return "
            "fewer or shorter values: list[..20], size(list), left(text, n)."
        )
    if isinstance(error, ConnectionAcquisitionTimeoutError):
        return LimitExceeded(
            f"All of the hub's connections to {backend} are busy; try again shortly.",
            retry_after_seconds=1.0,
        )
    code = getattr(error, "code", None) if isinstance(error, Neo4jError) else None
    if code in TIMEOUT_CODES:
        return QueryTimeout(
            "The statement ran past the hub's time limit and was stopped. Match a "
            "smaller part of the graph: use labels, bound variable-length paths, "
            "add LIMIT."
        )
    if isinstance(error, Neo4jError) and not is_backend_failure(error):
        return _tell_query_failure(error, explaining=explaining)
    if any(isinstance(cause, UNSUPPORTED) for cause in walk_causes(error)):
        return build_unsupported(backend)
    return build_unavailable(backend, find_reason(error))


def build_unsupported(backend: str) -> BackendUnavailable:
    """Say that driver and server do not understand each other."""
    return BackendUnavailable(
        backend,
        BackendReason.UNSUPPORTED_VERSION,
        f"{backend} is unavailable: its release lacks what this server needs; Neo4j 5 "
        "and newer work.",
    )


def build_unstoppable(seconds: float) -> QueryTimeout:
    """Say that a statement ran out of time and goes on all the same."""
    return QueryTimeout(
        f"The statement ran longer than {seconds:g} s, and the database cannot stop it"
        " yet; ask for less, with shorter lists."
    )


def is_backend_failure(error: Neo4jError) -> bool:
    """Tell whether the database, and not the statement, is at fault."""
    return isinstance(error, AuthError) or error.code in BACKEND_REASONS


def build_unavailable(backend: str, reason: BackendReason) -> BackendUnavailable:
    """Say that a backend cannot be used, and why."""
    return BackendUnavailable(
        backend,
        reason,
        f"{backend} is unavailable: {REASON_ADVICE[reason]}.",
    )


def build_bad_address(backend: str) -> BackendUnavailable:
    """Say that a backend's address cannot be used; nothing of it is repeated."""
    return BackendUnavailable(
        backend,
        BackendReason.ERROR,
        f"{backend} is unavailable: its uri has a port or a query that the driver does "
        "not take; write neo4j://host:port, or bolt://host:port without a query.",
    )


def find_reason(error: BaseException) -> BackendReason:
    """Classify a failure to reach or to enter the database by its causes."""
    causes = list(walk_causes(error))
    for cause in causes:
        if isinstance(cause, Neo4jError) and cause.code in BACKEND_REASONS:
            return BACKEND_REASONS[cause.code]
    for kinds, reason in (
        (AuthError, BackendReason.BAD_CREDENTIALS),
        (socket.gaierror, BackendReason.DNS_FAILURE),
        (ConnectionRefusedError, BackendReason.CONNECTION_REFUSED),
        # asyncio tells a TLS handshake that takes too long by this one
        ((TimeoutError, ConnectionAbortedError), BackendReason.TIMEOUT),
        (ssl.SSLError, BackendReason.TLS_FAILURE),
    ):
        if any(isinstance(cause, kinds) for cause in causes):
            return reason
    return _find_handshake_reason(causes)


def _find_handshake_reason(causes: list[BaseException]) -> BackendReason:
    """Tell a side that wants TLS from one that broke; the driver has no type for it."""
    for cause in causes:
        if type(cause).__name__ == "BoltSecurityError" or (
            isinstance(cause, DriverError) and "handshake response" in str(cause)
        ):
            return BackendReason.TLS_FAILURE
    return BackendReason.ERROR


def shorten(message: str) -> str:
    """Return a planner's message in one line, its position kept when it is cut.

    A syntax error lists every keyword that could stand there.
    """
    line = " ".join(message.split())
    if len(line) <= LONGEST_MESSAGE:
        return line
    position = re.search(r"\(line \d+, column \d+", line)
    tail = f" {position.group()})" if position else ""
    return f"{line[:LONGEST_MESSAGE]}…{tail}"


def _explain_other(code: str) -> str:
    if code.startswith(PASSING_CODES):
        return "something else on the server stopped it; try again"
    if code.startswith(DATABASE_ERRORS):
        return "the database server has an internal error or damaged data"
    return "it failed while it ran"


def _tell_query_failure(error: Neo4jError, *, explaining: bool) -> QueryFailed:
    code = error.code or "Neo.DatabaseError.General.UnknownError"
    quotes = explaining or code in ALWAYS_QUOTABLE
    if quotes:
        what = shorten(error.message or "")
    else:
        what = EXPLANATIONS.get(code, _explain_other(code))
    message = f"Neo4j refused the statement ({code}): {what}"
    failure = QueryFailed(message, code, quotes=quotes)
    if code in TERMINATED_CODES or code.startswith(PASSING_CODES):
        failure.retry_after_seconds = RETRY_SECONDS
    return failure
