"""Watches that lose, delay, repeat or hold back what they have to tell."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.api_proxy.edits import (
    Event,
    coalescing,
    delaying,
    dropping,
    expiring,
    holding,
    replaying,
)
from tests.support.api_proxy.request_info import RequestInfo
from tests.support.api_proxy.rules import build_answer, every, is_verb
from tests.support.fault_matrix.faults import again_and_again, by_edit, by_rule
from tests.support.fault_matrix.runner import Fault, Sandbox

pytestmark = pytest.mark.timeout(1800)


def is_about(*resources: str):
    return lambda info, _event: info.resource in resources


def is_deleted(_info: RequestInfo, event: Event) -> bool:
    return event["type"] == "DELETED"


def is_news(_info: RequestInfo, event: Event) -> bool:
    return event["type"] != "BOOKMARK"


def is_of_a_child(info: RequestInfo, event: Event) -> bool:
    return info.resource != "mcphubs" and is_news(info, event)


def blind(name: str, whether, seconds: float | None = None) -> Fault:
    """Hold events back: to the end, or again and again for so many seconds."""

    @asynccontextmanager
    async def inject(sandbox: Sandbox) -> AsyncIterator[None]:
        gate = asyncio.Event()

        async def open_and_close() -> None:
            while seconds is not None:
                await asyncio.sleep(seconds)
                gate.set()
                await asyncio.sleep(seconds / 4)
                gate.clear()

        task = asyncio.create_task(open_and_close())
        sandbox.proxy.edit = holding(gate, whether)
        sandbox.proxy.cut_streams()
        yield
        task.cancel()
        gate.set()

    return Fault(name, inject)


def freeze_and_thaw(sandbox: Sandbox) -> None:
    if sandbox.proxy.flows.is_set():
        sandbox.proxy.flows.clear()
    else:
        sandbox.proxy.flows.set()


SHORT = (
    by_edit("all DELETED events lost", dropping, is_deleted),
    by_edit("all events of children lost", dropping, is_of_a_child),
    by_edit("events come late and coalesced", lambda which: coalescing(0.4, which)),
    by_edit("old events delivered again", lambda which: replaying(2, which), is_news),
    by_edit("410 in every third event", lambda which: expiring(3, which), is_news),
)
CHILDREN = (
    *("configmaps", "secrets", "serviceaccounts", "services", "deployments"),
    *("horizontalpodautoscalers", "poddisruptionbudgets", "networkpolicies"),
)
LONG = (
    blind("children seen only at the end", is_of_a_child),
    *(by_edit(f"all events of {r} lost", dropping, is_about(r)) for r in CHILDREN),
    by_edit("all events of pods lost", dropping, is_about("pods")),
    by_edit("all events of hubs lost", dropping, is_about("mcphubs")),
    by_edit("all events lost", dropping, is_news),
    *(blind(f"{r} seen only at the end", is_about(r)) for r in CHILDREN),
    blind("hubs seen late", is_about("mcphubs"), 0.7),
    blind("everything seen late", is_news, 0.7),
    by_edit("each event 50 ms late", lambda which: delaying(0.05, which), is_news),
    by_rule(
        "410 to every second watch",
        lambda: every(2, is_verb("watch"), build_answer(410)),
    ),
    again_and_again("watches cut", lambda sandbox: sandbox.proxy.cut_streams(), 0.4),
    again_and_again("connections frozen", freeze_and_thaw, 0.8),
)


FAULTS = [*SHORT, *(pytest.param(f, marks=pytest.mark.full_matrix) for f in LONG)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_end_is_as_if_nothing_had_happened(
    ends: dict[str, list[str]], fault: Fault
):
    assert ends[fault.name] == []
