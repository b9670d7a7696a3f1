"""The double's endpoint, in the test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.embedding.hashing import embed

KEY = "embedding-key-for-tests"
MODEL = "hashing-double"


class QuietServer(uvicorn.Server):
    """uvicorn without its signal handlers: the process is the test's."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.open = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.open.set()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@dataclass(slots=True)
class EmbeddingEndpoint:
    """Where it is, and what it was asked; `status` makes it fail."""

    port: int
    status: int = 200
    texts: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The base URL, as OpenAI's clients take it."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def answer(self, request: Request) -> Response:
        """Answer POST /v1/embeddings."""
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return JSONResponse({"error": {"message": "wrong key"}}, 401)
        body = await request.json()
        if self.status != 200 or body["model"] != MODEL:
            return JSONResponse({"error": {"message": "no"}}, self.status or 404)
        self.texts.append(body["input"])
        data = [{"object": "embedding", "index": 0, "embedding": embed(body["input"])}]
        return JSONResponse({"object": "list", "model": MODEL, "data": data})


@asynccontextmanager
async def embedding_endpoint() -> AsyncIterator[EmbeddingEndpoint]:
    """Serve the endpoint until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    endpoint = EmbeddingEndpoint(listening.getsockname()[1])
    app = Starlette(routes=[Route("/v1/embeddings", endpoint.answer, methods=["POST"])])
    server = QuietServer(uvicorn.Config(app, log_level="error"))
    task = asyncio.create_task(server.serve([listening]))
    await server.open.wait()
    try:
        yield endpoint
    finally:
        server.should_exit = True
        await task
