"""Faults of the proxy, made from rules about requests and edits of watches."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.support.api_proxy.asked import Asked
from tests.support.api_proxy.faults import Rule, never
from tests.support.api_proxy.watching import Edit, Event, Whether
from tests.support.fault_matrix.telling import Fault, Stage


def by_rule(name: str, build: Callable[[], Rule]) -> Fault:
    """Return a fault that strikes requests."""

    @asynccontextmanager
    async def strike(stage: Stage) -> AsyncIterator[None]:
        stage.proxy.rule = build()
        yield
        stage.proxy.rule = never

    return Fault(name, strike)


def by_edit(
    name: str, build: Callable[[Whether], Edit], whether: Whether | None = None
) -> Fault:
    """Return a fault that strikes events of watches, those that are open too.

    The watches live on when it is over: what was lost is not told again.
    """

    @asynccontextmanager
    async def strike(stage: Stage) -> AsyncIterator[None]:
        strikes = True

        def strikes_now(asked: Asked, event: Event) -> bool:
            return strikes and (whether is None or whether(asked, event))

        stage.proxy.edit = build(strikes_now)
        stage.proxy.cut_streams()
        yield
        strikes = False

    return Fault(name, strike)


def again_and_again(
    name: str, step: Callable[[Stage], None], every_seconds: float
) -> Fault:
    """Return a fault that happens on and on."""

    @asynccontextmanager
    async def strike(stage: Stage) -> AsyncIterator[None]:
        async def repeat() -> None:
            while True:
                await asyncio.sleep(every_seconds)
                step(stage)

        task = asyncio.create_task(repeat())
        yield
        task.cancel()
        stage.proxy.flows.set()

    return Fault(name, strike)
