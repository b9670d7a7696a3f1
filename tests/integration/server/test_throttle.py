"""What a client costs before its calls, or by being refused, is charged to it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mcphub_server.web.caller import Share, current_share
from mcphub_server.web.throttle import REFUSAL_SECONDS, Throttle
from tests.support.hub import TOKEN, HubFiles, LoopHub, hub_in_loop
from tests.support.websocket_client import frame_client

ALICE = ("alice", "")
STRANGER = ("anonymous", "127.0.0.1")
PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
CALL = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "health_check", "arguments": {}},
    }
).encode()
USUAL = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "Authorization": f"Bearer {TOKEN}",
}

Charges = list[tuple[Share, float]]


@pytest.fixture
def charges(monkeypatch: pytest.MonkeyPatch) -> Charges:
    """What callers were charged, in order."""
    noted: Charges = []
    spend = Throttle.spend

    async def note(throttle: Throttle, loop_seconds: float) -> bool:
        noted.append((current_share(), loop_seconds))
        return await spend(throttle, loop_seconds)

    monkeypatch.setattr(Throttle, "spend", note)
    return noted


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[LoopHub]:
    config = {
        "transports": {"webSocket": {"enabled": True}},
        "limits": {"requestsPerSecond": 1, "burst": 1},
    }
    async with hub_in_loop(HubFiles(tmp_path / "hub", config)) as hub:
        yield hub


async def post(hub: LoopHub, body: bytes, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=100) as http:
        return await http.post(
            f"{hub.url}/mcp", content=body, headers={**USUAL, **headers}
        )


@pytest.mark.parametrize(
    ("body", "headers", "status", "caller"),
    [
        pytest.param(
            PING, {"Authorization": "Bearer x"}, 401, STRANGER, id="a wrong token"
        ),
        pytest.param(PING, {"Accept": "text/html"}, 406, ALICE, id="a wrong type"),
        pytest.param(b"{", {}, 400, ALICE, id="no message"),
        pytest.param(b"[" * 100_000, {}, 413, ALICE, id="too many values"),
        pytest.param(b" " * 5_000_000, {}, 413, ALICE, id="too many bytes"),
    ],
)
async def test_a_refused_request_is_charged_to_its_caller(
    hub: LoopHub,
    charges: Charges,
    body: bytes,
    headers: dict[str, str],
    status: int,
    caller: Share,
) -> None:
    answer = await post(hub, body, **headers)

    assert answer.status_code == status
    assert charges[-1] == (caller, REFUSAL_SECONDS)


async def test_an_unknown_path_is_charged_to_its_address(
    hub: LoopHub, charges: Charges
) -> None:
    async with httpx.AsyncClient(timeout=100) as http:
        await http.get(f"{hub.url}/nothing")

    assert charges == [(STRANGER, REFUSAL_SECONDS)]


async def test_a_call_beyond_the_rate_is_charged_to_its_caller(
    hub: LoopHub, charges: Charges
) -> None:
    answers = [(await post(hub, CALL)).json() for _ in range(3)]

    kinds = [each["result"].get("_meta", {}).get("mcphub/error") for each in answers]
    limited = [kind for kind in kinds if kind and kind["kind"] == "limit_exceeded"]
    assert limited
    assert charges.count((ALICE, REFUSAL_SECONDS)) == len(limited)


async def test_an_ordinary_call_costs_next_to_nothing(
    hub: LoopHub, charges: Charges
) -> None:
    answer = await post(hub, CALL)

    assert answer.is_success
    assert {caller for caller, _ in charges} == {ALICE}
    assert sum(seconds for _, seconds in charges) < REFUSAL_SECONDS / 100


async def test_a_message_over_a_websocket_is_charged_to_its_caller(
    hub: LoopHub, charges: Charges
) -> None:
    message: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    async with frame_client(hub.url, TOKEN) as client:
        await client.connection.send(json.dumps(message))
        await client.read()

    assert {caller for caller, _ in charges} == {ALICE}
