"""The one place where what Qdrant and its client raise becomes this project's errors.

Qdrant's words pass for status 400 only, which it answers before it looks at a point:
a wrong number of dimensions, a vector's name, a field that needs an index.
"""

import json
import socket
import ssl

import httpx
from pydantic import ValidationError

from mcphub_server.backends.causes import walk_causes
from mcphub_server.backends.qdrant.bounded import AnswerTooLarge
from mcphub_server.backends.qdrant.rest import (
    ApiException,
    ResourceExhaustedResponse,
    ResponseHandlingException,
    UnexpectedResponse,
)
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    LimitExceeded,
    QueryFailed,
    QueryTimeout,
    ToolFailure,
)

CLIENT_ERRORS = (
    ApiException,
    ResourceExhaustedResponse,
    httpx.HTTPError,
    OSError,
    TimeoutError,
)
LONGEST_MESSAGE = 300
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TIMED_OUT = 401, 403, 404, 408
QUOTABLE = frozenset({400, 422})
TOO_MANY = 429
GONE = frozenset({502, 503, 504})
"""What a proxy says of a server that is away, and a server that starts or stops."""

SERVER_SIDE = 500
RETRY_SECONDS = 1.0

REFUSALS = {
    FORBIDDEN: "The hub's API key may not read this collection.",
    NOT_FOUND: (
        "There is no such collection or point. Take names from the list of "
        "collections, and ids from search results."
    ),
}

REASON_ADVICE = {
    BackendReason.DNS_FAILURE: "its host name does not resolve",
    BackendReason.CONNECTION_REFUSED: "nothing listens at its address",
    BackendReason.TIMEOUT: "it does not answer in time",
    BackendReason.BAD_CREDENTIALS: "it refuses the hub's API key",
    BackendReason.TLS_FAILURE: (
        "no secure connection comes about; https:// needs TLS on the server's side and "
        "a trusted certificate, http:// a server that allows plain text"
    ),
    BackendReason.ERROR: "the connection broke or the server failed",
}


def translate_failure(backend: str, error: BaseException) -> ToolFailure:
    """Return what the caller may read about a failed request."""
    causes = list(walk_causes(_find_source(error)))
    if any(isinstance(cause, AnswerTooLarge) for cause in causes):
        return QueryFailed(
            "The hits are larger than the hub takes. Lower limit, or pass "
            "with_payload=false or a list of payload fields."
        )
    if any(isinstance(cause, httpx.PoolTimeout) for cause in causes):
        return LimitExceeded(
            f"All of the hub's connections to {backend} are busy; try again shortly.",
            retry_after_seconds=1.0,
        )
    for cause in causes:
        if isinstance(cause, ResourceExhaustedResponse):
            return build_too_many(backend, cause.retry_after_s)
    if any(isinstance(cause, ValidationError) for cause in causes):
        return QueryFailed(
            "Qdrant's answer has a form that this server does not know; its release "
            "may be newer. Ask for less, such as with_vectors=false."
        )
    if isinstance(error, UnexpectedResponse):
        return _translate_status(backend, error)
    return build_unavailable(backend, find_reason(causes))


def build_unavailable(backend: str, reason: BackendReason) -> BackendUnavailable:
    """Say that a backend cannot be used, and why."""
    return BackendUnavailable(
        backend, reason, f"{backend} is unavailable: {REASON_ADVICE[reason]}."
    )


def build_too_many(backend: str, seconds: float = RETRY_SECONDS) -> LimitExceeded:
    """Say that a server which is there takes no more for a moment."""
    return LimitExceeded(
        f"{backend} takes no more requests at the moment; try again shortly.",
        retry_after_seconds=float(max(seconds, RETRY_SECONDS)),
    )


def build_not_found() -> QueryFailed:
    """Say of a point that the caller may not find what is said of one that is not."""
    return QueryFailed(REFUSALS[NOT_FOUND], str(NOT_FOUND))


def find_reason(causes: list[BaseException]) -> BackendReason:
    """Classify a failure to reach the server by its causes."""
    for kinds, reason in (
        (socket.gaierror, BackendReason.DNS_FAILURE),
        (ssl.SSLError, BackendReason.TLS_FAILURE),
        (ConnectionRefusedError, BackendReason.CONNECTION_REFUSED),
        ((TimeoutError, httpx.TimeoutException), BackendReason.TIMEOUT),
    ):
        if any(isinstance(cause, kinds) for cause in causes):
            return reason
    return BackendReason.ERROR


def _find_source(error: BaseException) -> BaseException:
    """The client keeps the cause in an attribute."""
    if isinstance(error, ResponseHandlingException):
        return error.source
    return error


def _translate_status(backend: str, error: UnexpectedResponse) -> ToolFailure:
    status = error.status_code or SERVER_SIDE
    if status == UNAUTHORIZED:
        return build_unavailable(backend, BackendReason.BAD_CREDENTIALS)
    if status == TOO_MANY:
        return build_too_many(backend)
    if status in GONE:
        return build_unavailable(backend, BackendReason.ERROR)
    if status >= SERVER_SIDE:
        return QueryFailed(
            f"Qdrant failed while it answered (status {status}); its log says why.",
            str(status),
        )
    if status == TIMED_OUT:
        return QueryTimeout("The search ran past its time; narrow the filter.")
    told = REFUSALS.get(status, f"Qdrant refused the request (status {status}).")
    if status in QUOTABLE:
        told = f"Qdrant refused the request: {_quote(error)}"
    return QueryFailed(told, str(status))


def _quote(error: UnexpectedResponse) -> str:
    try:
        told = str(json.loads(error.content)["status"]["error"])
    except (ValueError, KeyError, TypeError):
        return "it gives no reason."
    return " ".join(told.split())[:LONGEST_MESSAGE]
