"""The operator's errors: one tree.

OperatorError
├── InvalidHub              a hub cannot be read; one sentence naming the field
├── InvalidSettings         an environment variable or flag is bad; says which
├── WrongResourceDefinition the CRD is missing or older than this operator
├── LeaseLost               this replica may not write any more
├── WatchLost               the watch of hubs is dead and cannot be started again
└── ApiError                the API server refused or could not be asked
    ├── NotFound            404: the object, or its namespace, is not there
    ├── NotServed           404: the API server does not know the kind, or not yet
    ├── Conflict      409: another writer was faster
    ├── Expired             410: the watch's place in history is gone
    ├── Throttled           429: asked to come back later
    ├── Refused             403, 422 and other 4xx: asking again changes nothing
    └── Unavailable         5xx, a timeout, no connection: ask again later

Messages come from the API server or name what was asked for; request bodies, which
may hold Secrets, never get into one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class OperatorError(Exception):
    """The root of everything that this operator raises on purpose."""


class InvalidHub(OperatorError):
    """A hub's spec cannot be used; the message names the field."""


class InvalidSettings(OperatorError):
    """A setting of the operator is bad; the message names it."""


class WrongResourceDefinition(OperatorError):
    """The cluster's McpHub definition is missing or older than this operator."""


class LeaseLost(OperatorError):
    """The lease could not be renewed in time: another replica may be writing."""


class WatchLost(OperatorError):
    """The watch of hubs is dead; only another process can watch them."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One field that the API server complained about."""

    reason: str
    field: str
    message: str


class ApiError(OperatorError):
    """The API server did not do what it was asked.

    Args:
        status: HTTP status, 0 when there was no answer.
        reason: Kubernetes' machine-readable reason, such as `Forbidden`.
        message: Kubernetes' sentence, or what went wrong on the way.
        causes: the fields concerned, for refused objects.
        retry_after_seconds: when the server wants to be asked again.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        causes: tuple[Cause, ...] = (),
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.causes = causes
        self.retry_after_seconds = retry_after_seconds


class NotFound(ApiError):
    """404: the object, or its namespace, does not exist."""


class NotServed(ApiError):
    """404 that names no object: the kind is not served.

    An API server that starts answers so for every custom resource until it has read
    their definitions; taking that for "deleted" would forget hubs that are there.
    """


class Conflict(ApiError):
    """409: the object exists, or changed since it was read."""


class Expired(ApiError):
    """410: the watch must restart from a list."""


class Throttled(ApiError):
    """429: too many requests."""


class Refused(ApiError):
    """Another 4xx: the same request would be refused again."""


class Unavailable(ApiError):
    """5xx, a timeout or no connection: the same request may succeed later."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    404: NotServed,
    409: Conflict,
    410: Expired,
    429: Throttled,
}
_SERVER_ERRORS = 500
_NAMESPACE_ENDS = "NamespaceTerminating"


def is_namespace_ending(error: ApiError) -> bool:
    """Tell whether nothing may be created because the namespace is being deleted."""
    return any(cause.reason == _NAMESPACE_ENDS for cause in error.causes)


def build_api_error(
    status: int, body: Mapping[str, Any], retry_after_seconds: float | None = None
) -> ApiError:
    """Translate a Kubernetes `Status` answer; the one place where that is done."""
    kind = _BY_STATUS.get(status, Unavailable if status >= _SERVER_ERRORS else Refused)
    details = body.get("details") or {}
    if kind is NotServed and details.get("name"):
        kind = NotFound
    causes = tuple(
        Cause(c.get("reason", ""), c.get("field", ""), c.get("message", ""))
        for c in details.get("causes") or ()
    )
    message = str(body.get("message") or f"HTTP status {status}")
    reason = str(body.get("reason") or "Unknown")
    return kind(status, reason, message, causes, retry_after_seconds)
