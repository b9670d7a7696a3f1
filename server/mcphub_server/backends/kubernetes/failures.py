"""The one place where what a request ends with becomes this project's errors.

The API server's words pass for what is wrong with a request (400, 404, 422): they name
objects and never show what is in them.
"""

import socket
import ssl

import httpx2
import msgspec

from mcphub_server.backends.causes import walk_causes
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    LimitExceeded,
    QueryFailed,
    QueryTimeout,
    ToolFailure,
)

CLIENT_ERRORS = (httpx2.HTTPError, OSError, TimeoutError)
LONGEST_MESSAGE = 300
UNAUTHORIZED, FORBIDDEN, TOO_MANY, TIMED_OUT = 401, 403, 429, 504
QUOTABLE = frozenset({400, 404, 410, 422})
SERVER_SIDE = 500

REASON_ADVICE = {
    BackendReason.DNS_FAILURE: "the API server's name does not resolve",
    BackendReason.CONNECTION_REFUSED: "the API server is not listening",
    BackendReason.TIMEOUT: "the API server does not answer in time",
    BackendReason.BAD_CREDENTIALS: "the API server refuses the hub's token",
    BackendReason.TLS_FAILURE: "the API server's certificate is not trusted",
    BackendReason.ERROR: "the connection broke or the API server failed",
}


def translate_failure(backend: str, error: BaseException) -> ToolFailure:
    """Return what the caller may read about a request without an answer."""
    causes = list(walk_causes(error))
    if any(isinstance(cause, httpx2.PoolTimeout) for cause in causes):
        return LimitExceeded(
            f"All of the hub's connections to {backend} are busy; try again shortly.",
            retry_after_seconds=1.0,
        )
    return build_unavailable(backend, find_reason(causes))


def translate_status(backend: str, status: int, body: bytes) -> ToolFailure:
    """Return what the caller may read about a refused request."""
    if status == UNAUTHORIZED:
        return build_unavailable(backend, BackendReason.BAD_CREDENTIALS)
    if status == TOO_MANY:
        return LimitExceeded("The API server is busy; try again.", 1.0)
    if status == TIMED_OUT:
        return QueryTimeout("The API server ran out of time; narrow the request.")
    if status >= SERVER_SIDE:
        return build_unavailable(backend, BackendReason.ERROR)
    told = f"status {status}"
    if status in QUOTABLE:
        told = _quote(body) or told
    return QueryFailed(f"The API server refused the request: {told}.", str(status))


def build_unavailable(backend: str, reason: BackendReason) -> BackendUnavailable:
    """Say that a backend cannot be used, and why."""
    return BackendUnavailable(
        backend, reason, f"{backend} is unavailable: {REASON_ADVICE[reason]}."
    )


def find_reason(causes: list[BaseException]) -> BackendReason:
    """Classify a failure to reach the API server by its causes."""
    for kinds, reason in (
        (socket.gaierror, BackendReason.DNS_FAILURE),
        (ssl.SSLError, BackendReason.TLS_FAILURE),
        (ConnectionRefusedError, BackendReason.CONNECTION_REFUSED),
        ((TimeoutError, httpx2.TimeoutException), BackendReason.TIMEOUT),
    ):
        if any(isinstance(cause, kinds) for cause in causes):
            return reason
    return BackendReason.ERROR


def _quote(body: bytes) -> str:
    try:
        told = str(msgspec.json.decode(body)["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return ""
    return " ".join(told.split()).rstrip(".")[:LONGEST_MESSAGE]
