"""A real collector that hangs, ends and comes back costs no call."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from tests.support.hub import HubFiles, LoopHub, hub_in_loop
from tests.support.otlp import Receiver
from tests.support.traces.collector import Collector, running_collector
from tests.support.waiting import wait_until
from tools.ports import reserve_port


async def call(hub: LoopHub) -> str:
    async with hub.client() as client:
        answer = await client.call_tool("health_check")
    return str(answer.structured_content["status"])


async def wait_for(hub: LoopHub, state: str, reason: str = "") -> None:
    """Call until the hub says that its spans arrive, or why they do not."""
    expected = (state, reason)

    async def says_so() -> bool:
        assert await call(hub) == "healthy"
        async with httpx.AsyncClient(timeout=100) as http:
            said: dict[str, Any] = (await http.get(f"{hub.management}/status")).json()
        return (said["tracing"]["state"], said["tracing"]["reason"]) == expected

    await wait_until(says_so)


async def test_a_collector_that_hangs_and_ends_costs_no_call(
    copy: Receiver, tmp_path: Path
) -> None:
    port = reserve_port()

    def start(stack: ExitStack) -> Collector:
        folder = tmp_path / "collector"
        return stack.enter_context(running_collector(folder, port, [copy.url]))

    with ExitStack() as first, ExitStack() as second:
        collector = start(first)
        config = {"observability": {"otlp": {"endpoint": collector.url}}}
        async with hub_in_loop(HubFiles(tmp_path / "hub", config)) as hub:
            await wait_for(hub, "Exporting")
            collector.hang()
            await wait_for(hub, "Failing", "Timeout")
            collector.go_on()
            await wait_for(hub, "Exporting")
            first.close()
            await wait_for(hub, "Failing", "ConnectionRefused")
            start(second)
            await wait_for(hub, "Exporting")
