"""The caller of the current request, for audit, limits, cursors and sessions."""

from contextvars import ContextVar
from dataclasses import dataclass

from mcphub_server.web.claims import NO_CLAIMS, Claims

ANONYMOUS = "anonymous"

Share = tuple[str, str]
"""Whose use of a shared resource counts together: a principal, or an address."""


@dataclass(frozen=True, slots=True)
class Client:
    """The caller of the current request.

    Attributes:
        principal: The token's name or the JWT's client; `anonymous` without auth.
        address: The client's, as far as trusted proxies tell it.
        session: The transport's session, where it keeps one.
        request_id: Chosen by the client, or else by this server.
        scopes: What the caller's token grants.
        claims: The caller's claims that the configuration names.
    """

    principal: str = ANONYMOUS
    address: str = ""
    session: str = ""
    request_id: str = ""
    scopes: frozenset[str] = frozenset()
    claims: Claims = NO_CLAIMS


UNKNOWN = Client()

_current: ContextVar[Client] = ContextVar("mcphub_client", default=UNKNOWN)


def current_client() -> Client:
    """Return the caller of the request that is being served."""
    return _current.get()


def find_share(client: Client) -> Share:
    """Return the principal; without authentication `anonymous` and the address."""
    is_anonymous = client.principal == ANONYMOUS
    return client.principal, client.address if is_anonymous else ""


def current_share() -> Share:
    """Return whose share the request that is being served uses."""
    return find_share(_current.get())


def current_principal() -> str:
    """Return the caller's name."""
    return _current.get().principal


def current_identity() -> str:
    """Return the caller's name, with a digest of the claims if there are any.

    What is signed for one caller is of no use to the same client with other claims.
    """
    client = _current.get()
    digest = client.claims.digest
    return f"{client.principal}\0{digest}" if digest else client.principal


def enter_client(client: Client) -> None:
    """Make this the caller for the rest of the request's task."""
    _current.set(client)
