"""The one place where what PyMongo raises becomes this project's errors."""

import socket
import ssl

from dns.exception import DNSException
from pymongo.errors import (
    DocumentTooLarge,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
)

from mcphub_server.backends.causes import walk_causes
from mcphub_server.backends.mongodb.codes import (
    ATLAS_ERROR,
    BACKEND_REASONS,
    BAD_LOGIN,
    EXPLANATIONS,
    PASSING,
    QUOTABLE,
    TIMEOUTS,
)
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    BadArgument,
    LimitExceeded,
    QueryFailed,
    QueryTimeout,
    ToolFailure,
)

DRIVER_ERRORS = (PyMongoError, OSError, TimeoutError)
LONGEST_MESSAGE = 300
RETRY_SECONDS = 1.0

REASON_ADVICE = {
    BackendReason.DNS_FAILURE: "its host name does not resolve",
    BackendReason.CONNECTION_REFUSED: "nothing listens at its address",
    BackendReason.TIMEOUT: "it does not answer in time",
    BackendReason.BAD_CREDENTIALS: (
        "it refuses the hub's user name or password; authSource is the database in "
        "which the user was created"
    ),
    BackendReason.ACCESS_DENIED: (
        "the hub's user may not list the database's collections; grant the role read"
    ),
    BackendReason.TLS_FAILURE: (
        "no secure connection comes about; tls.enabled needs TLS on the database's "
        "side and a trusted certificate, without it a side that allows plain text"
    ),
    BackendReason.ERROR: "the connection broke or the database is not ready",
}


def translate_failure(backend: str, error: BaseException) -> ToolFailure:
    """Return what the caller may read about one of DRIVER_ERRORS."""
    if isinstance(error, WaitQueueTimeoutError):
        return LimitExceeded(
            f"All of the hub's connections to {backend} are busy; try again shortly.",
            retry_after_seconds=1.0,
        )
    if isinstance(error, DocumentTooLarge):
        return BadArgument("The statement is larger than MongoDB takes.")
    if isinstance(error, OperationFailure) and _find_refusal(error) is None:
        return _tell_query_failure(error)
    return build_unavailable(backend, find_reason(error))


def build_unavailable(backend: str, reason: BackendReason) -> BackendUnavailable:
    """Say that a backend cannot be used, and why."""
    return BackendUnavailable(
        backend, reason, f"{backend} is unavailable: {REASON_ADVICE[reason]}."
    )


def build_bad_address(backend: str) -> BackendUnavailable:
    """Say that a backend's address cannot be used; nothing of it is repeated."""
    return BackendUnavailable(
        backend,
        BackendReason.ERROR,
        f"{backend} is unavailable: the driver does not take its uri; write "
        "mongodb://host:port, or mongodb+srv://name.",
    )


def find_reason(error: BaseException) -> BackendReason:
    """Classify a failure to reach or to enter the database by its causes."""
    causes = list(walk_causes(error))
    for cause in causes:
        if isinstance(cause, OperationFailure) and (refusal := _find_refusal(cause)):
            return refusal
    for kinds, reason in (
        ((socket.gaierror, DNSException), BackendReason.DNS_FAILURE),
        (ssl.SSLError, BackendReason.TLS_FAILURE),
        (ConnectionRefusedError, BackendReason.CONNECTION_REFUSED),
        ((NetworkTimeout, TimeoutError), BackendReason.TIMEOUT),
    ):
        if any(isinstance(cause, kinds) for cause in causes):
            return reason
    return BackendReason.ERROR


def _find_refusal(error: OperationFailure) -> BackendReason | None:
    """Return why the server, and not the statement, is at fault; None if it is not."""
    code = error.code or 0
    if code == ATLAS_ERROR and BAD_LOGIN in str((error.details or {}).get("errmsg")):
        return BackendReason.BAD_CREDENTIALS
    return BACKEND_REASONS.get(code)


def _tell_query_failure(error: OperationFailure) -> ToolFailure:
    code = error.code or 0
    if code in TIMEOUTS:
        return QueryTimeout(
            "The statement ran past the hub's time limit and was stopped. Match fewer "
            "documents, by an indexed field, before other stages."
        )
    quotes = code in QUOTABLE
    told = EXPLANATIONS.get(code, "it failed while it ran")
    if quotes:
        told = _quote(error)
    name = _name(error)
    message = f"MongoDB refused the statement ({name}): {told}."
    failure = QueryFailed(message, name, quotes=quotes)
    if code in PASSING:
        failure.retry_after_seconds = RETRY_SECONDS
    return failure


def _name(error: OperationFailure) -> str:
    """Return the code's name, such as FailedToParse; Location40324 for unnamed ones."""
    details = error.details or {}
    name = str(details.get("codeName") or "")
    return name if name.isalnum() else f"Location{error.code or 0}"


def _quote(error: OperationFailure) -> str:
    told = " ".join(str((error.details or {}).get("errmsg") or "").split())
    return told.rstrip(".")[:LONGEST_MESSAGE] or "it gives no reason"
