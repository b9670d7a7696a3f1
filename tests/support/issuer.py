"""An issuer of JSON Web Tokens: its keys over HTTP, and tokens that it signs."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.jwk import RSAKey

KEY = RSAKey.generate_key(2048, {"kid": "k1"})
ISSUER = "https://id.example.com"


@asynccontextmanager
async def key_server() -> AsyncIterator[str]:
    """Serve the issuer's keys."""
    body = msgspec.json.encode({"keys": [KEY.as_dict(private=False)]})

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"


def sign(**changes: Any) -> str:
    claims = {
        "iss": ISSUER,
        "aud": "hub",
        "exp": int(time.time()) + 60,
        "sub": "user-1",
        "scope": "read",
        **changes,
    }
    token: str = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, KEY)
    return token
