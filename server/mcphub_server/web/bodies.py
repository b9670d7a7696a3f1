"""Reads request bodies: the only place, with a clock, a budget and a throttle.

A body is memory that a client chooses. So a replica holds only so many bytes of them,
and a caller only a share: counted from the first byte to the end of the request, by
principal, or by address where there is no authentication. Nothing here reads before a
layer asks for the body, and none does before authentication.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus

from starlette.types import Message, Receive

from mcphub_server.errors import HubError
from mcphub_server.web.caller import Share, current_share
from mcphub_server.web.throttle import LONGEST_WAIT_SECONDS, Throttle
from mcphub_server.web.weight import MOST_UNITS, SECONDS_PER_UNIT, weigh

MEBIBYTE = 1024 * 1024
LARGEST_BODY = 4 * MEBIBYTE
"""The SDK's own limit."""

READ_SECONDS = 20.0
"""How long a client may take to send a body; a drain waits for it as well."""

BUDGET_SHARE = 16
"""Bodies may fill this part of the memory limit, at least two of the largest."""

CALLER_SHARE = 4
"""A caller may fill this part of it, at least one of the largest."""

RETRY_SECONDS = 5

SECONDS_PER_BYTE = 2.5e-9
"""Of the event loop, to receive a byte of a body, and again to read it: together 20 ms
for 4 MiB."""


class RequestRefused(HubError):
    """A request that gets no further; the answer is a JSON-RPC error without id.

    Args:
        status: Of HTTP.
        sentence: What is wrong and what to do.
        retry_seconds: When to try again, 0 if that is pointless.
    """

    def __init__(
        self, status: HTTPStatus, sentence: str, retry_seconds: int = 0
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.retry_seconds = retry_seconds


class ClientLeft(HubError):
    """The client closed its connection before its body was complete."""


class BodyBudget:
    """The bytes of bodies that a replica holds now.

    Args:
        memory_bytes: The memory limit of the process.
    """

    def __init__(self, memory_bytes: int = 0) -> None:
        self._total = max(memory_bytes // BUDGET_SHARE, 2 * LARGEST_BODY)
        self._share = max(self._total // CALLER_SHARE, LARGEST_BODY)
        self._held: Counter[Share] = Counter()
        self._all_held = 0

    def take(self, caller: Share, size: int) -> bool:
        """Count bytes of a caller; False, and nothing counted, if it is too much."""
        held = self._held[caller] + size
        if held > self._share or self._all_held + size > self._total:
            return False
        self._held[caller] = held
        self._all_held += size
        return True

    def give_back(self, caller: Share, size: int) -> None:
        """Stop counting bytes."""
        self._all_held -= size
        self._held[caller] -= size
        if not self._held[caller]:
            del self._held[caller]


class BodyReader:
    """Reads the body of one request, and counts it until the request ends."""

    def __init__(
        self,
        budget: BodyBudget | None = None,
        note_full: Callable[[], None] = lambda: None,
        throttle: Throttle | None = None,
    ) -> None:
        self._budget = budget or BodyBudget()
        self._note_full = note_full
        self._throttle = throttle or Throttle()
        self._caller: Share = ("", "")
        self._size = 0

    async def read(self, receive: Receive, declared_size: int = 0) -> bytes:
        """Return the whole body.

        Raises:
            RequestRefused: It is too large or slow, or this replica holds too much.
            ClientLeft: The client left meanwhile.
        """
        check_size(declared_size)
        self._caller = current_share()
        try:
            async with asyncio.timeout(READ_SECONDS):
                body = await self._read(receive)
        except TimeoutError:
            raise build_too_slow() from None
        await self.admit(body)
        return body

    async def admit(self, message: bytes) -> None:
        """Wait until the caller may have a message read by the SDK.

        Raises:
            RequestRefused: It has too many values, or its caller sent too much.
        """
        units = weigh(message)
        if units > MOST_UNITS:
            raise build_too_heavy()
        await self._spend(units * SECONDS_PER_UNIT + len(message) * SECONDS_PER_BYTE)

    def close(self) -> None:
        """Return what was taken of the budget."""
        self._budget.give_back(self._caller, self._size)
        self._size = 0

    async def _read(self, receive: Receive) -> bytes:
        body = bytearray()
        more = True
        while more:
            message = await receive()
            chunk = get_chunk(message)
            check_size(len(body) + len(chunk))
            self._take(len(chunk))
            body += chunk
            await self._spend(len(chunk) * SECONDS_PER_BYTE)
            more = message.get("more_body", False)
        return bytes(body)

    async def _spend(self, loop_seconds: float) -> None:
        if not await self._throttle.spend(loop_seconds):
            raise build_too_busy()

    def _take(self, size: int) -> None:
        if not self._budget.take(self._caller, size):
            self._note_full()
            raise build_too_much()
        self._size += size


def get_chunk(message: Message) -> bytes:
    """Return the bytes of a message; raise ClientLeft without one."""
    if message["type"] == "http.disconnect":
        raise ClientLeft
    chunk: bytes = message.get("body", b"")
    return chunk


def check_size(size: int) -> None:
    """Raise RequestRefused if a body is larger than any may be."""
    if size > LARGEST_BODY:
        raise RequestRefused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The request body is larger than {LARGEST_BODY // MEBIBYTE} MiB; send "
            "less in one request.",
        )


def build_too_slow() -> RequestRefused:
    """Return the refusal of a body that does not arrive."""
    return RequestRefused(
        HTTPStatus.REQUEST_TIMEOUT,
        f"The request body did not arrive within {READ_SECONDS:g} s; send the request "
        "again.",
    )


def build_too_heavy() -> RequestRefused:
    """Return the refusal of a body that takes too long to read."""
    return RequestRefused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The request has more than {MOST_UNITS} values, where a list, an object and "
        "a key count as three and 100 digits of a number as 100; send less in one "
        "request.",
    )


def build_too_busy() -> RequestRefused:
    """Return the refusal of a body whose caller has sent too much."""
    return RequestRefused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Your requests already take this replica as much time as one client may use; "
        "send fewer or smaller ones.",
        round(LONGEST_WAIT_SECONDS),
    )


def build_too_much() -> RequestRefused:
    """Return the refusal of a body for which there is no room."""
    return RequestRefused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "This replica holds too many bytes of requests now; send the request again "
        f"in {RETRY_SECONDS} s.",
        RETRY_SECONDS,
    )
