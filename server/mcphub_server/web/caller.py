"""Who is calling: the one value that audit, limits, cursors and sessions share."""

from contextvars import ContextVar
from dataclasses import dataclass

ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Client:
    """The caller of the current request.

    Attributes:
        principal: The token's name or the JWT's client; `anonymous` without auth.
        address: Where from, as far as trusted proxies let us know.
        session: The transport's session, where it keeps one.
        request_id: What the client or we called this request.
    """

    principal: str = ANONYMOUS
    address: str = ""
    session: str = ""
    request_id: str = ""


NOBODY = Client()

_current: ContextVar[Client] = ContextVar("mcphub_client", default=NOBODY)


def current_client() -> Client:
    """Return the caller of the request that is being served."""
    return _current.get()


def current_principal() -> str:
    """Return the caller's name."""
    return _current.get().principal


def enter_client(client: Client) -> None:
    """Make this the caller for the rest of the request's task."""
    _current.set(client)
