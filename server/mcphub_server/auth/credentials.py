"""Finds the bearer token of a request, or says why it cannot be read.

What a client sends wrongly is told apart, because each has another remedy: no header,
an empty token (of a variable that nothing filled in), another scheme, a header that is
not `Bearer`, a space and a token, and two headers, of which a proxy and a server might
read different ones.
"""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

from mcphub_server.auth.refusals import CredentialRefused, Refusal
from mcphub_server.web.request import get_request
from mcphub_server.web.subprotocols import list_offered_tokens

SCHEME = "bearer"
WHITE_SPACE = " \t"


def find_credential(scope: Scope) -> str:
    """Return the token of a request; raises CredentialRefused.

    On a WebSocket, a header that the page did not choose (`Basic`, of a proxy) does not
    count where a token is among the offered subprotocols.
    """
    headers = Headers(scope=scope).getlist("authorization")
    offered: Sequence[str] = ()
    if get_request(scope).is_websocket:
        offered = list_offered_tokens(scope["subprotocols"])
    if not offered:
        return read_headers(headers)
    if len(offered) > 1 or any(is_bearer(header) for header in headers):
        raise CredentialRefused(Refusal.SEVERAL)
    if not offered[0]:
        raise CredentialRefused(Refusal.HEADER)
    return offered[0]


def read_headers(headers: Sequence[str]) -> str:
    """Return the token of the Authorization headers; raises CredentialRefused."""
    if not headers:
        raise CredentialRefused(Refusal.MISSING)
    if len(headers) > 1:
        raise CredentialRefused(Refusal.SEVERAL)
    return read_header(headers[0].strip(WHITE_SPACE))


def read_header(header: str) -> str:
    """Return the token of a header's value (RFC 6750, section 2.1).

    Spaces stand between scheme and token, any number of them (RFC 9110, section 11.4).
    """
    if not header:
        raise CredentialRefused(Refusal.EMPTY)
    if not is_bearer(header):
        raise CredentialRefused(Refusal.SCHEME)
    token = header[len(SCHEME) :].lstrip(" ")
    if not token.strip():
        raise CredentialRefused(Refusal.EMPTY)
    if any(character <= " " or character == "\x7f" for character in token):
        raise CredentialRefused(Refusal.HEADER)
    return token


def is_bearer(header: str) -> bool:
    """Tell whether a header names the scheme, in whatever case."""
    scheme, rest = header[: len(SCHEME)], header[len(SCHEME) :]
    return scheme.lower() == SCHEME and (not rest or rest[0] in WHITE_SPACE)
