"""A watch that does not lie for long: list, watch, list again when history is gone.

kopf's own watching keeps an object that was deleted while the watch was broken, and
costs 4 ms an event; hubs come through kopf (`handlers`), their children, Secrets, pods
and nodes through here. A list replaces everything that was known before, so deletions
that a watch missed are found; it is repeated on a long period for events that got lost.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

import aiohttp
import msgspec
import structlog

from mcphub_operator.cache.optional_kind import OptionalKind
from mcphub_operator.client.api import (
    JSON,
    METADATA_LIST,
    METADATA_ONLY,
    Api,
    Call,
    Found,
    Object,
)
from mcphub_operator.client.kinds import Kind
from mcphub_operator.errors import (
    ApiError,
    Expired,
    NotServed,
    Refused,
    build_api_error,
)

log = structlog.get_logger(__name__)

WATCH_SECONDS = 80
"""Then the API server ends a watch and it is renewed. Where nothing changes there are
not always bookmarks: a longer watch would look like a frozen one."""
SILENCE_SECONDS = 100.0
"""A connection that is silent for longer than a watch lasts is frozen."""
FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 5.0


class Store(Protocol):
    """Where objects go; called in the event loop, must not block."""

    def upsert(self, item: Object) -> None:
        """Learn an object's present state."""

    def remove(self, item: Object) -> None:
        """Learn that an object is gone."""

    def replace(self, namespace: str | None, found: Found) -> None:
        """Forget everything known of the namespace (None: all) but these."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What to watch."""

    kind: Kind
    namespace: str | None = None
    selector: str = ""
    metadata_only: bool = False

    def describe(self) -> dict[str, str]:
        """Return how the scope is named in the log."""
        return {"kind": self.kind.name, "namespace": self.namespace or "all"}


class Reflector:
    """Keeps a store equal to what the API server has of one scope."""

    def __init__(
        self,
        api: Api,
        scope: Scope,
        store: Store,
        relist_seconds: float,
        optional: OptionalKind | None = None,
    ) -> None:
        self.scope = scope
        self.synced = asyncio.Event()
        self.refused = asyncio.Event()
        """Set while we may not list this; the operator then works without it."""
        self.problem = ""
        """Why the last list failed, in the API server's words."""
        self._api = api
        self._store = store
        self._relist_seconds = relist_seconds
        self._optional = optional

    async def run(self) -> None:
        """List and watch until cancelled."""
        delay = FIRST_DELAY_SECONDS
        while True:
            try:
                version = await self._list()
                delay = FIRST_DELAY_SECONDS
                await self._watch_from(version)
            except ApiError as error:
                self._note(error)
                if self._optional is not None and isinstance(error, NotServed):
                    await self._optional.wait_served()
                    continue
                delay = min(delay * 2, LONGEST_DELAY_SECONDS)
                # Spread, so that a returning API server is not met by all at once.
                await asyncio.sleep(delay * random.uniform(0.5, 1))  # noqa: S311

    def _note(self, error: ApiError) -> None:
        if isinstance(error, Refused | NotServed):
            self.refused.set()
        if error.message != self.problem:  # said once, however often it is tried
            scope = self.scope.describe()
            log.warning("list_failed", **scope, error=error.message)
        self.problem = error.message

    async def _list(self) -> str:
        found: set[tuple[str, str]] = set()
        accept = METADATA_LIST if self.scope.metadata_only else JSON
        path, params = self.scope.kind.path(self.scope.namespace), self._selection()
        call = Call("list", self.scope.kind.name, "GET", path, params, accept=accept)
        version = ""
        async for page in self._api.ask_pages(call):
            for item in page.objects():
                found.add(identify(item))
                self._store.upsert(item)
            version = page.metadata["resourceVersion"]
        self._store.replace(self.scope.namespace, found)
        self.refused.clear()
        self.problem = ""
        if self._optional is not None:
            self._optional.note(served=True)
        self.synced.set()
        return version

    def _selection(self) -> dict[str, str]:
        return {"labelSelector": self.scope.selector} if self.scope.selector else {}

    async def _watch_from(self, version: str) -> None:
        """Watch until the period is over or the place in history is gone."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._relist_seconds * random.uniform(0.9, 1.1)  # noqa: S311
        delay = FIRST_DELAY_SECONDS
        while (left := end - loop.time()) > 0:
            try:
                async with asyncio.timeout(left):
                    async for event in self._events(version):
                        version = self._learn(event, version)
                        delay = FIRST_DELAY_SECONDS
                    await asyncio.sleep(FIRST_DELAY_SECONDS / 4)
            except TimeoutError:
                return
            except Expired:
                log.info("watch_expired", **self.scope.describe())
                return
            except NotServed:
                raise  # only lists tell when the kind is back
            except ApiError as error:
                scope = self.scope.describe()
                log.info("watch_broke", **scope, error=error.message)
                delay = min(delay * 2, LONGEST_DELAY_SECONDS)
                await asyncio.sleep(delay)

    def _learn(self, event: Object, version: str) -> str:
        kind, item = event["type"], event["object"]
        if kind == "ERROR":
            raise _watch_error(item)
        if int(item["metadata"]["resourceVersion"]) <= int(version):
            # Told before: it would bring back what is gone.
            return version
        if kind in ("ADDED", "MODIFIED"):
            self._store.upsert(item)
        elif kind == "DELETED":
            self._store.remove(item)
        return str(item["metadata"]["resourceVersion"])

    async def _events(self, version: str) -> AsyncIterator[Object]:
        params = self._selection() | {
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        accept = METADATA_ONLY if self.scope.metadata_only else JSON
        path = self.scope.kind.path(self.scope.namespace)
        call = Call("watch", self.scope.kind.name, "GET", path, params, accept=accept)
        timeout = aiohttp.ClientTimeout(total=None, sock_read=SILENCE_SECONDS)
        async with self._api.stream(call, timeout) as answer:
            async for line in _lines(answer.content.iter_any()):
                yield msgspec.json.decode(line)


def identify(item: Object) -> tuple[str, str]:
    """Return an object's namespace (empty for none) and name."""
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Split into lines of any length; aiohttp's own reader has a limit."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield line


def _watch_error(status: Object) -> ApiError:
    message = str(status.get("message") or "the watch ended with an error")
    code = int(status.get("code") or 0)
    return build_api_error(code, status | {"message": message})
