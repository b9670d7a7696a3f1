"""A proxy before an API server that remembers who was asked for what.

The operator's rights are compared with what it really does, whichever of its clients
does it; so the recording stands on the wire and not in one of them.
"""

import asyncio
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp
from aiohttp import web

from support.ports import find_free_port

RESOURCE = re.compile(
    r"^/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[^/]+))?)?"
)
METHODS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
ACCOUNT = b"system:serviceaccount:"
NOT_PASSED_ON = {"host", "content-length", "transfer-encoding", "content-encoding"}


@dataclass(frozen=True, slots=True, order=True)
class Used:
    """A verb on a resource, as authorization sees it."""

    group: str
    resource: str
    verb: str


@dataclass(slots=True)
class Recording:
    """What went through."""

    url: str
    used: set[Used] = field(default_factory=set)
    forbidden: set[str] = field(default_factory=set)

    def note_refusal(self, request: web.Request, body: bytes) -> None:
        """Remember a request that the caller had no right to.

        What a pod answers through the proxy subresource may be a 403 as well; only
        the API server's own names the account.
        """
        if ACCOUNT in body:
            self.forbidden.add(f"{request.method} {request.path}")

    def note(self, request: web.Request, status: int) -> None:
        """Remember what a request used."""
        found = RESOURCE.match(request.path)
        if found is None:
            return
        sub = f"/{found['sub']}" if found["sub"] else ""
        resource = found["resource"] + sub
        verb = METHODS.get(request.method) or _read_verb(request, found["name"])
        self.used.add(Used(found["group"] or "", resource, verb))
        if request.method == "PATCH" and status == HTTPStatus.CREATED:
            # Server-side apply of an object that was not there is a creation too.
            self.used.add(Used(found["group"] or "", resource, "create"))


def _read_verb(request: web.Request, name: str | None) -> str:
    if "watch" in request.query:
        return "watch"
    return "get" if name else "list"


@contextmanager
def recording_proxy(upstream: str, authority: str) -> Iterator[Recording]:
    """Pass requests on to an API server for as long as the block lasts.

    Callers prove who they are by tokens; the proxy has no credentials of its own.
    """
    port = find_free_port()
    recording = Recording(f"http://127.0.0.1:{port}")
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    ready = threading.Event()
    serving = _serve(upstream, authority, port, recording, ready, stop)
    thread = threading.Thread(target=loop.run_until_complete, args=(serving,))
    thread.start()
    try:
        if not ready.wait(10):
            raise TimeoutError("the recording proxy did not start")
        yield recording
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


async def _serve(
    upstream: str,
    authority: str,
    port: int,
    recording: Recording,
    ready: threading.Event,
    stop: asyncio.Event,
) -> None:
    context = ssl.create_default_context(cafile=authority)
    connector = aiohttp.TCPConnector(ssl=context, limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def pass_on(request: web.Request) -> web.StreamResponse:
            return await _pass_on(request, session, upstream, recording)

        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", pass_on)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        ready.set()
        await stop.wait()
        await runner.cleanup()


async def _pass_on(
    request: web.Request,
    session: aiohttp.ClientSession,
    upstream: str,
    recording: Recording,
) -> web.StreamResponse:
    headers = {
        k: v for k, v in request.headers.items() if k.lower() not in NOT_PASSED_ON
    }
    async with session.request(
        request.method,
        upstream + request.path_qs,
        headers=headers,
        # An empty body would bring a content type that a GET must not have.
        data=await request.read() or None,
    ) as answer:
        recording.note(request, answer.status)
        passed = web.StreamResponse(
            status=answer.status,
            headers={
                k: v
                for k, v in answer.headers.items()
                if k.lower() not in NOT_PASSED_ON
            },
        )
        # A caller that ends a watch hangs up.
        with suppress(ConnectionError):
            await passed.prepare(request)
            async for chunk in answer.content.iter_any():
                if answer.status == HTTPStatus.FORBIDDEN:
                    recording.note_refusal(request, chunk)
                await passed.write(chunk)
            await passed.write_eof()
        return passed
