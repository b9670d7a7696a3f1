"""The issuer's signing keys (JWKS): fetching and reading them."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

import httpx2
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from mcphub_server.web.handshakes import close_cancelled_handshakes

KEY_TYPES = frozenset({"RSA", "EC", "OKP"})
FETCH_TIMEOUT_SECONDS = 5.0
LARGEST_KEY_SET = 1024 * 1024

BAD_KEY = (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""What joserfc and cryptography raise for an invalid key."""

FetchKeys = Callable[[], Awaitable[object]]


def build_fetch(uri: str) -> FetchKeys:
    """Return how to get the issuer's keys."""

    async def fetch() -> object:
        # with a transport of ours, it would not read proxies from the environment
        opened = httpx2.AsyncClient(timeout=FETCH_TIMEOUT_SECONDS)
        close_cancelled_handshakes(opened._transport)  # noqa: SLF001
        async with (
            opened as client,
            client.stream("GET", uri) as response,
        ):
            response.raise_for_status()
            return msgspec.json.decode(await read_bounded(response))

    return fetch


async def read_bounded(response: httpx2.Response) -> bytes:
    """Read a response; raise ValueError if it is larger than any key set."""
    body = bytearray()
    async with aclosing(response.aiter_bytes()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > LARGEST_KEY_SET:
                raise ValueError("the key set is too large")
    return bytes(body)


def parse_keys(body: object) -> tuple[Key, ...]:
    """Return the keys that this server understands (RFC 7517, section 5).

    An invalid entry is left out. Raises ValueError if no key is left.
    """
    listed = body.get("keys") if isinstance(body, Mapping) else None
    if not isinstance(listed, list):
        raise ValueError("not a JSON Web Key Set")  # noqa: TRY004 -- bad input
    found = (find_key(entry) for entry in listed)
    # no KeySet of joserfc, which gives an id to each key that has none
    keys = tuple(key for key in found if key is not None)
    if not keys:
        raise ValueError("the key set has no key that can be used")
    return keys


def find_key(entry: object) -> Key | None:
    """Return one key; None if it is of another kind or use, or invalid."""
    if not isinstance(entry, dict) or not has_plain_members(entry):
        return None
    if entry.get("kty") not in KEY_TYPES or entry.get("use", "sig") != "sig":
        return None
    try:
        key: Key = JWKRegistry.import_key(entry)
        key.check_key_op("verify")
    except BAD_KEY:
        return None
    return key


def has_plain_members(entry: Mapping[str, Any]) -> bool:
    """Return whether the members that select a key are texts (RFC 7517, section 4)."""
    return all(
        isinstance(entry.get(name, ""), str) for name in ("kty", "use", "alg", "kid")
    )
