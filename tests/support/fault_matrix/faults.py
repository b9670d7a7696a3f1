"""Faults of the proxy, made from rules about requests and edits of watches."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.support.api_proxy.edits import Edit, Event, Whether
from tests.support.api_proxy.request_info import RequestInfo
from tests.support.api_proxy.rules import Rule, never
from tests.support.fault_matrix.runner import Fault, Sandbox


def by_rule(name: str, build: Callable[[], Rule]) -> Fault:
    """Return a fault that injects requests."""

    @asynccontextmanager
    async def inject(sandbox: Sandbox) -> AsyncIterator[None]:
        sandbox.proxy.rule = build()
        yield
        sandbox.proxy.rule = never

    return Fault(name, inject)


def by_edit(
    name: str, build: Callable[[Whether], Edit], whether: Whether | None = None
) -> Fault:
    """Return a fault that injects events of watches, those that are open too.

    The watches live on when it is over: what was lost is not told again.
    """

    @asynccontextmanager
    async def inject(sandbox: Sandbox) -> AsyncIterator[None]:
        injects = True

        def injects_now(info: RequestInfo, event: Event) -> bool:
            return injects and (whether is None or whether(info, event))

        sandbox.proxy.edit = build(injects_now)
        sandbox.proxy.cut_streams()
        yield
        injects = False

    return Fault(name, inject)


def again_and_again(
    name: str, step: Callable[[Sandbox], None], every_seconds: float
) -> Fault:
    """Return a fault that happens on and on."""

    @asynccontextmanager
    async def inject(sandbox: Sandbox) -> AsyncIterator[None]:
        async def repeat() -> None:
            while True:
                await asyncio.sleep(every_seconds)
                step(sandbox)

        task = asyncio.create_task(repeat())
        yield
        task.cancel()
        sandbox.proxy.flows.set()

    return Fault(name, inject)
