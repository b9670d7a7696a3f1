"""What becomes of a request that a library cancels by itself."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from mcphub_operator.client.api import Api, Call, Request
from mcphub_operator.errors import Unavailable

CALL = Call("get", "Lease", "GET", "/apis/coordination.k8s.io/v1/leases")


class Session:
    """A session that answers no request."""

    def __init__(self, fault: BaseException | None = None) -> None:
        self._fault = fault

    @asynccontextmanager
    async def request(self, *_: Any, **__: Any) -> AsyncIterator[None]:
        if self._fault is not None:
            raise self._fault
        await asyncio.Event().wait()
        yield


def build_api(session: Session, seen: list[Request]) -> Api:
    async def authorize() -> Mapping[str, str]:
        return {}

    connection: Any = SimpleNamespace(session=session, host="", authorize=authorize)
    return Api(connection, seen.append)


async def test_it_has_failed_like_any_other_without_an_answer():
    seen: list[Request] = []
    api = build_api(Session(asyncio.CancelledError()), seen)

    with pytest.raises(Unavailable, match="get Lease: CancelledError"):
        await api.ask(CALL)

    assert [request.error for request in seen] == ["CancelledError"]


async def test_a_task_that_is_cancelled_ends():
    task = asyncio.create_task(build_api(Session(), []).ask(CALL))
    await asyncio.sleep(0.01)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
