"""A proxy between an operator and the API server that can misbehave on purpose.

It speaks plain HTTP on loopback and shows the API server the administrator's
certificate, so that both kopf's and the operator's own requests go through it. What
happens to a request is decided by a function of it: nothing, an answer of our own, or
silence. Streams that are open can be cut or frozen.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

HOP_HEADERS = {"host", "connection", "transfer-encoding", "content-length"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in the API server's place."""

    status: int
    reason: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer at all; the connection stays open."""


Fault = Answer | Silence
Decide = Callable[[web.Request], Fault | None]


def never(_request: web.Request) -> None:
    """Let everything pass."""


def is_write(request: web.Request) -> bool:
    return request.method in ("PATCH", "POST", "PUT", "DELETE")


def is_watch(request: web.Request) -> bool:
    return "watch" in request.query


class FaultProxy:
    """Passes requests on, or does not."""

    def __init__(self, upstream: str, session: aiohttp.ClientSession) -> None:
        self.decide: Decide = never
        self.flows = asyncio.Event()
        """While it is not set, open streams and new requests get no byte."""
        self.flows.set()
        self.seen: list[str] = []
        self._upstream = upstream
        self._session = session
        self._streams: set[asyncio.Task[Any]] = set()

    def cut_streams(self) -> None:
        """Break every open watch in the middle."""
        for stream in list(self._streams):
            stream.cancel()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(f"{request.method} {request.path}")
        fault = self.decide(request)
        if isinstance(fault, Silence):
            await asyncio.Event().wait()
        await self.flows.wait()
        if isinstance(fault, Answer):
            return _refuse(fault)
        return await self._forward(request)

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        headers = {
            k: v for k, v in request.headers.items() if k.lower() not in HOP_HEADERS
        }
        async with self._session.request(
            request.method,
            self._upstream + request.path_qs,
            headers=headers,
            data=await request.read() or None,
            skip_auto_headers=("Content-Type",),
        ) as answer:
            kept = {
                k: v for k, v in answer.headers.items() if k.lower() not in HOP_HEADERS
            }
            reply = web.StreamResponse(status=answer.status, headers=kept)
            await reply.prepare(request)
            await self._pump(answer, reply)
            return reply

    async def _pump(
        self, answer: aiohttp.ClientResponse, reply: web.StreamResponse
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            async for chunk in answer.content.iter_any():
                await self.flows.wait()
                await reply.write(chunk)
            await reply.write_eof()
        except (ConnectionError, aiohttp.ClientError):
            pass
        finally:
            self._streams.discard(task)


def _refuse(answer: Answer) -> web.Response:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": answer.reason,
        "message": f"injected {answer.reason}",
        "code": answer.status,
    }
    text = json.dumps(body)
    return web.Response(
        status=answer.status,
        text=text,
        headers=answer.headers,
        content_type="application/json",
    )


@asynccontextmanager
async def running_fault_proxy(
    url: str, pki: Path, kubeconfig: Path
) -> AsyncIterator[FaultProxy]:
    """Run a proxy to an API server, and write the kubeconfig that leads through it."""
    trust = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    trust.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    connector = aiohttp.TCPConnector(ssl=trust, limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, auto_decompress=False
    ) as session:
        proxy = FaultProxy(url, session)
        app = web.Application(client_max_size=16 * 2**20)
        app.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        _write_kubeconfig(kubeconfig, f"http://127.0.0.1:{port}")
        try:
            yield proxy
        finally:
            proxy.flows.set()
            with contextlib.suppress(asyncio.CancelledError):
                await runner.cleanup()


def _write_kubeconfig(path: Path, server: str) -> None:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "proxy",
        "contexts": [{"name": "proxy", "context": {"cluster": "p", "user": "p"}}],
        "clusters": [{"name": "p", "cluster": {"server": server}}],
        "users": [{"name": "p", "user": {}}],
    }
    path.write_text(yaml.safe_dump(document))
