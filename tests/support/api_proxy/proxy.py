"""The proxy itself: plain HTTP on loopback before an API server's real TLS.

It stands on the wire, so kopf's requests and the operator's own go through it alike.
A rule decides about each request, an edit about the events of each watch; streams that
are open can be cut or frozen. With the administrator's certificate it speaks for
whoever asks; without one, callers prove by tokens who they are.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from tests.support.api_proxy.edits import Edit, Event, pass_on
from tests.support.api_proxy.request_info import RequestInfo, read_request
from tests.support.api_proxy.rules import (
    Answer,
    Held,
    Late,
    Lost,
    Rule,
    Silence,
    never,
)
from tests.support.api_proxy.traffic import RecordedRequest, Traffic

HOP_HEADERS = {
    *("host", "connection", "content-length"),
    *("transfer-encoding", "content-encoding"),
}
LARGEST_BODY = 16 * 2**20


class Proxy:
    """Passes requests on, or does not."""

    def __init__(self, upstream: str, session: aiohttp.ClientSession) -> None:
        self.url = ""
        self.rule: Rule = never
        self.edit: Edit = pass_on
        self.flows = asyncio.Event()
        """While it is not set, open streams and new requests get no byte."""
        self.flows.set()
        self.traffic = Traffic()
        self._upstream = upstream
        self._session = session
        self._streams: dict[asyncio.Task[Any], RequestInfo] = {}

    def cut_streams(self) -> None:
        """Break every open watch in the middle."""
        for stream, info in list(self._streams.items()):
            if info.verb == "watch":
                stream.cancel()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request, one way or another."""
        info = read_request(request)
        body = await request.read()
        seen = RecordedRequest(info, len(body), asyncio.get_running_loop().time())
        self.traffic.seen.append(seen)
        fault = self.rule(info)
        if isinstance(fault, Silence):
            await asyncio.Event().wait()
        await self.flows.wait()
        if isinstance(fault, Answer):
            seen.status = fault.status
            return _refuse(fault)
        async with self._ask(request, body) as answer:
            seen.status = answer.status
            if isinstance(fault, Lost):
                return await _lose(request, answer, fault)
            if isinstance(fault, Late):
                await asyncio.sleep(fault.seconds)
            if isinstance(fault, Held):
                await fault.gate.wait()
            return await self._pass_on(request, answer, seen)

    @asynccontextmanager
    async def _ask(
        self, request: web.Request, body: bytes
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        async with self._session.request(
            request.method,
            self._upstream + request.path_qs,
            headers=_keep(request.headers),
            # An empty body would bring a content type that a GET must not have.
            data=body or None,
            skip_auto_headers=("Content-Type",),
        ) as answer:
            yield answer

    async def _pass_on(
        self,
        request: web.Request,
        answer: aiohttp.ClientResponse,
        seen: RecordedRequest,
    ) -> web.StreamResponse:
        reply = web.StreamResponse(status=answer.status, headers=_keep(answer.headers))
        task = asyncio.current_task()
        assert task is not None
        self._streams[task] = seen.info
        # A caller that ends a watch hangs up.
        try:
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                await reply.prepare(request)
                async for chunk in self._read(answer, seen):
                    await self.flows.wait()
                    await reply.write(chunk)
                await reply.write_eof()
        finally:
            self._streams.pop(task, None)
        return reply

    async def _read(
        self, answer: aiohttp.ClientResponse, seen: RecordedRequest
    ) -> AsyncIterator[bytes]:
        edited = seen.info.verb == "watch" and answer.status == HTTPStatus.OK
        source = self._read_events(answer, seen.info) if edited else None
        async for chunk in source or answer.content.iter_any():
            seen.received_bytes += len(chunk)
            if answer.status == HTTPStatus.FORBIDDEN:
                seen.refusal += chunk
            yield chunk

    async def _read_events(
        self, answer: aiohttp.ClientResponse, info: RequestInfo
    ) -> AsyncIterator[bytes]:
        edited = self.edit(info, _split(answer))
        async with contextlib.aclosing(edited) as events:
            async for event in events:
                yield json.dumps(event).encode() + b"\n"


async def _split(answer: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    rest = b""
    async for chunk in answer.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield json.loads(line)


async def _lose(
    request: web.Request, answer: aiohttp.ClientResponse, fault: Lost
) -> web.Response:
    await answer.read()
    if fault.then is not None:
        fault.then()
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _keep(headers: Any) -> dict[str, str]:
    return {k: v for k, v in headers.items() if k.lower() not in HOP_HEADERS}


def _refuse(answer: Answer) -> web.Response:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": answer.reason,
        "message": f"injected {answer.reason}",
        "code": answer.status,
    }
    return web.Response(
        status=answer.status,
        text=json.dumps(body),
        headers=answer.headers,
        content_type="application/json",
    )


@asynccontextmanager
async def open_proxy(upstream: str, trust: ssl.SSLContext) -> AsyncIterator[Proxy]:
    """Run a proxy to an API server while the block lasts."""
    connector = aiohttp.TCPConnector(ssl=trust, limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        proxy = Proxy(upstream, session)
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", proxy.handle)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield proxy
        finally:
            proxy.flows.set()
            with contextlib.suppress(asyncio.CancelledError):
                await runner.cleanup()


@asynccontextmanager
async def open_administrators_proxy(
    upstream: str, pki: Path, kubeconfig: Path
) -> AsyncIterator[Proxy]:
    """Run a proxy that may do everything; write the kubeconfig that leads to it."""
    trust = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    trust.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    async with open_proxy(upstream, trust) as proxy:
        _write_kubeconfig(kubeconfig, proxy.url)
        yield proxy


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
