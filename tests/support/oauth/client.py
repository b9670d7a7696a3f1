"""The Python SDK's OAuth client, as a program on the person's own machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from tests.support.oauth.person import Person

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nDone."


@dataclass
class Memory:
    """Where a client keeps its registration and its tokens."""

    registration: OAuthClientInformationFull | None = None
    tokens: OAuthToken | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.registration

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.registration = client_info

    @property
    def token(self) -> str:
        """The access token."""
        assert self.tokens is not None
        return self.tokens.access_token


@dataclass
class OAuthClient:
    """What a test sees of a client.

    Attributes:
        auth: Authenticates the requests of an HTTP client.
        memory: What the client has got.
        pages: The addresses to which it sent its person.
    """

    auth: OAuthClientProvider
    memory: Memory
    pages: list[str] = field(default_factory=list)


@asynccontextmanager
async def open_oauth_client(url: str, person: Person) -> AsyncIterator[OAuthClient]:
    """Make a client of the hub's endpoint at a URL, which knows nothing else."""
    results: asyncio.Queue[AuthorizationCodeResult] = asyncio.Queue()
    memory, pages = Memory(), list[str]()

    async def receive(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        query = dict(parse_qsl(urlsplit(head.split()[1].decode()).query))
        writer.write(ANSWER)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        if "code" in query:
            results.put_nowait(AuthorizationCodeResult(**query))

    async def send_person(page: str) -> None:
        pages.append(page)
        await person.authorize(page)

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        metadata = OAuthClientMetadata.model_validate(
            {
                "client_name": "a test of mcphub",
                "redirect_uris": [f"http://127.0.0.1:{port}/callback"],
            }
        )
        auth = OAuthClientProvider(url, metadata, memory, send_person, results.get)
        yield OAuthClient(auth, memory, pages)
