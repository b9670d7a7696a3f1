"""WebSockets on replicas that share nothing but keys, and stop while in use."""

import asyncio

import pytest
from mcp_types import CreateMessageResult, TextContent
from websockets.exceptions import ConnectionClosed, InvalidStatus

from mcphub_server.traffic.connections import MOST_IN_FLIGHT
from tests.support.websocket_client import bearer, frame_client, open_websocket

TOKEN = "token-ann-4711-x"

in_module_loop = pytest.mark.asyncio(loop_scope="module")


@in_module_loop
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28", "auto"])
async def test_each_era_is_served(shared_hub, mode):
    async with shared_hub.client("websocket", mode=mode) as client:
        answers = [(await client.call_tool("who")).data for _ in range(3)]

    assert answers == ["ann 127.0.0.1"] * 3


@in_module_loop
async def test_a_connection_is_its_session_on_any_replica(shared_hub):
    async with (
        shared_hub.client("websocket") as one,
        shared_hub.client("websocket") as two,
    ):
        first = {(await one.call_tool("where")).data for _ in range(3)}
        second = {(await two.call_tool("where")).data for _ in range(3)}

    assert first | second == {replica.uid for replica in shared_hub.replicas}
    assert len(first) == len(second) == 1


@in_module_loop
async def test_the_server_asks_the_client_in_the_middle_of_a_call(shared_hub):
    async def answer(*_):
        return CreateMessageResult(
            role="assistant", content=TextContent(text="Hi!"), model="m"
        )

    client = shared_hub.client("websocket", sampling_handler=answer)
    async with client:
        asked = (await client.call_tool("sample")).data

    assert asked.endswith("Hi!")


async def test_a_cancelled_request_is_not_in_flight(hub):
    replica = hub.replicas[0]
    async with frame_client(hub.at(replica), TOKEN) as client:
        number = await client.call("gated", gate=hub.gate)
        await hub.wait_for_calls(replica, 1)
        await client.connection.send(
            '{"jsonrpc": "2.0", "method": "notifications/cancelled",'
            f' "params": {{"requestId": {number}}}}}'
        )
        await hub.wait_for_calls(replica, 0)

        replica.terminate()

        assert await client.read_to_end() == []
        assert client.connection.close_code == 1012


async def test_so_many_requests_are_in_flight_and_no_more(hub):
    replica = hub.replicas[0]
    async with frame_client(hub.at(replica), TOKEN) as client:
        for _ in range(MOST_IN_FLIGHT):
            await client.call("gated", gate=hub.gate)
        one_more = await client.call("gated", gate=hub.gate)
        refusal = await client.read()
        hub.open_gate()
        answers = [await client.read() for _ in range(MOST_IN_FLIGHT)]

    assert refusal["id"] == one_more
    assert refusal["error"]["code"] == -32029
    assert all("result" in answer for answer in answers)


async def test_a_draining_replica_answers_what_it_began_and_closes(hub):
    replica = hub.replicas[0]
    async with frame_client(hub.at(replica), TOKEN) as client:
        begun = await client.call("gated", gate=hub.gate)
        await hub.wait_for_calls(replica, 1)
        replica.terminate()
        await hub.wait_until_draining(replica)
        late = await client.call("where")
        declined = await client.read()
        hub.open_gate()
        answer, *rest = await client.read_to_end()

    assert declined["id"] == late
    assert "did not begin" in declined["error"]["message"]
    assert answer["id"] == begun
    assert "result" in answer
    assert rest == []
    assert client.connection.close_code == 1012
    assert await replica.wait() == 0


async def test_a_draining_replica_sends_new_connections_to_another(hub):
    stopping, other = hub.replicas
    async with frame_client(hub.at(stopping), TOKEN) as client:
        await client.call("gated", gate=hub.gate)
        await hub.wait_for_calls(stopping, 1)
        stopping.terminate()
        await hub.wait_until_draining(stopping)
        hub.proxy.order[:] = [stopping.address, other.address]
        async with hub.client("websocket") as late:
            answer = (await late.call_tool("where")).data
        path = "/mcp?redirect_count=4"
        with pytest.raises(InvalidStatus) as refused:
            async with open_websocket(hub.at(stopping), bearer(TOKEN), path=path):
                pass

    assert answer == other.uid
    assert refused.value.response.status_code == 503


async def test_no_call_is_lost_while_replicas_are_replaced(hub):
    """A client that connects again after 1012 sees each of its calls answered."""
    first, second = hub.replicas
    failures, ended = [], asyncio.Event()

    async def use():
        calls = 0
        while not ended.is_set():
            async with frame_client(hub.url, TOKEN) as client:
                while not ended.is_set():
                    number = await client.call("where")
                    if not await find_answer(client, number, failures):
                        break
                    calls += 1
        return calls

    users = [asyncio.create_task(use()) for _ in range(8)]
    hub.proxy.order[:] = [second.address]
    first.terminate()
    code = await first.wait()
    ended.set()
    calls = await asyncio.gather(*users)

    assert code == 0
    assert failures == []
    assert all(calls)


async def find_answer(client, number, failures):
    """Return whether a call was answered; note errors, and other ends than 1012."""
    try:
        while (message := await client.read()).get("id") != number:
            pass
    except ConnectionClosed:
        code = client.connection.close_code
        failures += [code] if code != 1012 else []
        return False
    failures += [message] if "error" in message else []
    return True
