"""Requests to the API server: each with a timeout, each failure one of our errors.

Nothing above this module sees HTTP. Every request is reported to an observer, which is
where metrics and the tests' counters hang.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import msgspec

from mcphub_operator.client.concurrency import end_if_cancelled
from mcphub_operator.client.connection import Connection
from mcphub_operator.client.encoding import encode_body
from mcphub_operator.client.kinds import Kind
from mcphub_operator.errors import ApiError, Unavailable, build_api_error

READ_SECONDS = 30.0
LIST_SECONDS = 60.0
PAGE_SIZE = 100
FAILED = 400
JSON = "application/json"
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

FAULTS = (
    *(aiohttp.ClientError, TimeoutError, OSError, ValueError),
    asyncio.CancelledError,  # a library's own would end a watch, and nothing notice
)
"""What a request without an answer may raise."""

Object = dict[str, Any]

Found = AbstractSet[tuple[str, str]]
"""Namespaces and names of what a list found."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as an observer sees it: no body, which may hold Secrets."""

    verb: str
    kind: str
    status: int
    seconds: float
    error: str = ""


Observer = Callable[[Request], None]


@dataclass(frozen=True, slots=True)
class Call:
    """What to ask of the API server."""

    verb: str
    kind: str
    method: str
    path: str
    params: Mapping[str, str] | None = None
    body: Any = None
    content_type: str = JSON
    accept: str = JSON


class Page(msgspec.Struct):
    """A part of a list. As objects it takes ten times its size: never all at once."""

    metadata: dict[str, Any]
    items: list[msgspec.Raw] | None = None

    def objects(self) -> Iterator[Object]:
        """Yield the objects."""
        for item in self.items or ():
            yield msgspec.json.decode(item)


class Api:
    """Asks the API server."""

    def __init__(
        self, connection: Connection, observe: Observer, *, pooled: bool = False
    ) -> None:
        self._connection = connection
        self._session = connection.pool if pooled else connection.session
        self._observe = observe

    async def ask(self, call: Call, timeout_seconds: float = READ_SECONDS) -> Object:
        """Make a call and return the answer's body.

        Raises:
            ApiError: the API server refused, or gave no answer in time.
        """
        async with self.stream(call, aiohttp.ClientTimeout(timeout_seconds)) as answer:
            found: Object = msgspec.json.decode(await answer.read())
            return found

    async def ask_pages(self, call: Call) -> AsyncIterator[Page]:
        """Make a list call again and again until all has come.

        Raises:
            ApiError: it could not be asked to the end.
        """
        params = {**(call.params or {}), "limit": str(PAGE_SIZE)}
        limits = aiohttp.ClientTimeout(LIST_SECONDS)
        while True:
            async with self.stream(replace(call, params=params), limits) as answer:
                page = msgspec.json.decode(await answer.read(), type=Page)
            yield page
            if not (token := page.metadata.get("continue")):
                return
            params["continue"] = token

    @asynccontextmanager
    async def stream(
        self, call: Call, limits: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Make a call and hand out the answer while it still comes in."""
        clock = asyncio.get_running_loop().time
        began, status, error = clock(), 0, ""
        try:
            async with self._session.request(
                call.method,
                self._connection.host + call.path,
                params=call.params,
                data=None if call.body is None else encode_body(call.body),
                headers={
                    "Accept": call.accept,
                    "Content-Type": call.content_type,
                    **await self._connection.authorize(),
                },
                timeout=limits,
            ) as answer:
                status = answer.status
                if status >= FAILED:
                    raise await _read_error(answer)
                yield answer
        except ApiError as refusal:
            error = refusal.reason
            raise
        except FAULTS as fault:
            if isinstance(fault, asyncio.CancelledError):
                end_if_cancelled()
            error = type(fault).__name__
            raise Unavailable(0, error, _describe(call, fault)) from fault
        finally:
            self._observe(Request(call.verb, call.kind, status, clock() - began, error))

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """Return an object, as it is at this moment.

        Raises:
            NotFound: the object does not exist.
        """
        return await self.ask(Call("get", kind.name, "GET", kind.path(namespace, name)))

    async def get_metadata(self, kind: Kind, namespace: str, name: str) -> Object:
        """Return an object's metadata and nothing else of it."""
        path = kind.path(namespace, name)
        return await self.ask(Call("get", kind.name, "GET", path, accept=METADATA_ONLY))

    async def get_path(self, path: str) -> Object:
        """Return what stands at a path that is no object, such as discovery."""
        return await self.ask(Call("get", "", "GET", path))

    async def list_items(
        self, kind: Kind, namespace: str | None, selector: str = ""
    ) -> AsyncIterator[Object]:
        """Yield every object of a kind."""
        params = {"labelSelector": selector} if selector else {}
        call = Call("list", kind.name, "GET", kind.path(namespace), params)
        async for page in self.ask_pages(call):
            for item in page.objects():
                yield item

    async def create(self, kind: Kind, namespace: str, body: Object) -> Object:
        """Create an object that is not a child of a hub."""
        path = kind.path(namespace)
        return await self.ask(Call("create", kind.name, "POST", path, body=body))


async def _read_error(answer: aiohttp.ClientResponse) -> ApiError:
    retry_after = answer.headers.get("Retry-After", "")
    seconds = float(retry_after) if retry_after.isdigit() else None
    try:
        body = msgspec.json.decode(await answer.read())
    except ValueError:
        body = {}
    return build_api_error(
        answer.status, body if isinstance(body, dict) else {}, seconds
    )


def _describe(call: Call, fault: BaseException) -> str:
    said = "no answer in time" if isinstance(fault, TimeoutError) else str(fault)
    return f"{call.verb} {call.kind or call.path}: {said or type(fault).__name__}"
