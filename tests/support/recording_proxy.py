"""What an operator used of the API, recorded on the wire.

The operator's rights are compared with what it really does, whichever of its clients
does it; so the recording stands on the wire and not in one of them. The proxy runs in
a thread, because the tests that use it wait for programs.
"""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from tests.support.api_proxy.proxy import Proxy, open_proxy
from tests.support.api_proxy.traffic import Traffic

ACCOUNT = b"system:serviceaccount:"
START_SECONDS = 100.0


@dataclass(frozen=True, slots=True, order=True)
class Used:
    """A verb on a resource, as authorization sees it."""

    group: str
    resource: str
    verb: str


@dataclass(frozen=True, slots=True)
class Recording:
    """What went through."""

    url: str
    traffic: Traffic

    @property
    def used(self) -> set[Used]:
        """Return what was asked for."""
        found: set[Used] = set()
        for each in list(self.traffic.seen):
            info = each.info
            if not info.resource:
                continue
            applies = info.verb == "apply"
            verb = "patch" if applies else info.verb
            found.add(Used(info.group, info.resource, verb))
            if applies and each.status == HTTPStatus.CREATED:
                # Server-side apply of an object that was not there creates it.
                found.add(Used(info.group, info.resource, "create"))
        return found

    @property
    def forbidden(self) -> set[str]:
        """Return what the caller had no right to.

        What a pod answers through the proxy subresource may be a 403 as well; only
        the API server's own names the account.
        """
        return {str(s.info) for s in list(self.traffic.seen) if ACCOUNT in s.refusal}

    def was_refused(self, resource: str, because: bytes) -> bool:
        """Tell whether a request was refused in these words."""
        return any(
            because in each.refusal
            for each in list(self.traffic.seen)
            if each.info.resource == resource
        )


@contextmanager
def recording_proxy(upstream: str, authority: str) -> Iterator[Recording]:
    """Pass requests on to an API server for as long as the block lasts.

    Callers prove who they are by tokens; the proxy has no credentials of its own.
    """
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    ready: Future[Proxy] = Future()

    async def serve() -> None:
        trust = ssl.create_default_context(cafile=authority)
        async with open_proxy(upstream, trust) as proxy:
            ready.set_result(proxy)
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        proxy = ready.result(START_SECONDS)
        yield Recording(proxy.url, proxy.traffic)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(START_SECONDS)
        loop.close()
