"""A collector that is away, hangs or refuses costs no call, and the status says so."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from structlog.testing import capture_logs

from tests.support.hub import HubFiles, LoopHub, hub_in_loop
from tests.support.otlp import Receiver, SeenSpan, receiving
from tests.support.waiting import wait_until

UNRESOLVABLE = "http://collector.no-such-name.invalid:4318"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def traced(files: HubFiles, endpoint: str) -> HubFiles:
    """Return the files of a hub without databases that exports to an endpoint."""
    config = {"observability": {"otlp": {"endpoint": endpoint}}}
    return HubFiles(files.folder, config)


async def call(hub: LoopHub) -> str:
    async with hub.client() as client:
        answer = await client.call_tool("health_check")
    return str(answer.structured_content["status"])


async def read_state(hub: LoopHub) -> dict[str, str]:
    async with httpx.AsyncClient(timeout=100) as http:
        body = (await http.get(f"{hub.management}/status")).json()
    return dict(body["tracing"])


async def wait_for_state(hub: LoopHub, state: str) -> dict[str, str]:
    async def is_there() -> bool:
        return (await read_state(hub))["state"] == state

    await wait_until(is_there)
    return await read_state(hub)


async def count_dropped(hub: LoopHub, reason: str) -> float:
    async with httpx.AsyncClient(timeout=100) as http:
        text = (await http.get(f"{hub.management}/metrics")).text
    series = f'mcphub_spans_dropped_total{{reason="{reason}"}} '
    (line,) = [line for line in text.splitlines() if line.startswith(series)]
    return float(line.removeprefix(series))


async def test_a_collector_whose_name_does_not_resolve_costs_no_call(tmp_path) -> None:
    files = traced(HubFiles(tmp_path, {}), UNRESOLVABLE)

    with capture_logs() as logged:
        async with hub_in_loop(files) as hub:
            before = await call(hub)
            state = await wait_for_state(hub, "Failing")
            after = await call(hub)
            dropped = await count_dropped(hub, "export_failed")

    assert (before, after) == ("healthy", "healthy")
    assert state == {
        "state": "Failing",
        "reason": "DNSFailure",
        "message": "spans are dropped: the name of the endpoint does not resolve",
    }
    assert dropped > 0
    told = [each for each in logged if each["event"] == "spans are not exported"]
    assert [(each["reason"], each["log_level"]) for each in told] == [
        ("DNSFailure", "warning")
    ]


async def test_a_collector_that_wants_other_headers_costs_no_call(
    receiver: Receiver, tmp_path
) -> None:
    receiver.status = 401
    files = traced(HubFiles(tmp_path, {}), receiver.url)

    async with hub_in_loop(files) as hub:
        before = await call(hub)
        state = await wait_for_state(hub, "Failing")
        receiver.status = 200
        after = await call(hub)
        mended = await wait_for_state(hub, "Exporting")

    assert (before, after) == ("healthy", "healthy")
    assert state["reason"] == "BadCredentials"
    assert mended["reason"] == ""


async def test_a_collector_that_hangs_costs_no_call(
    receiver: Receiver, tmp_path
) -> None:
    receiver.released.clear()
    files = traced(HubFiles(tmp_path, {}), receiver.url)

    async with hub_in_loop(files) as hub:
        first = await call(hub)
        await wait_until(receiver.asked.is_set)
        second = await call(hub)
        during = await read_state(hub)
        receiver.released.set()
        after = await wait_for_state(hub, "Exporting")

    assert (first, second) == ("healthy", "healthy")
    assert during["state"] in {"Unknown", "Failing"}
    assert after == {"state": "Exporting", "reason": "", "message": ""}


async def test_what_waits_is_sent_at_the_end(receiver: Receiver, tmp_path) -> None:
    files = traced(HubFiles(tmp_path, {}), receiver.url)

    async with hub_in_loop(files) as hub:
        await call(hub)

    def is_there(spans: list[SeenSpan]) -> bool:
        return "tools/call health_check" in {span.name for span in spans}

    # the thread that sends them may outlive the wait of the hub's end
    assert await asyncio.to_thread(receiver.wait_for, is_there)


async def test_bad_headers_are_told_without_their_value(
    receiver: Receiver, tmp_path
) -> None:
    files = HubFiles(
        tmp_path,
        {"observability": {"otlp": {"endpoint": receiver.url}}},
        {"otlp-exporter": {"headers": "secret-4711"}},
    )

    with capture_logs() as logged:
        async with hub_in_loop(files) as hub:
            status = await call(hub)

    assert status == "healthy"
    (line,) = [each for each in logged if each["event"] == "export without headers"]
    assert "otlp-exporter/headers must hold name=value pairs" in line["problem"]
    assert "4711" not in str(logged)
