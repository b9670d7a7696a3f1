import asyncio

import pytest

from mcphub_server.traffic import drain as draining
from mcphub_server.traffic.drain import UNCONNECTED_SECONDS, drain, linger
from mcphub_server.traffic.state import ServerState
from mcphub_server.web.jsonrpc import Message
from tests.support.virtual_time import in_virtual_time, now

LONG_SECONDS = 30
"""Less than a drain takes at most."""

LINGER_SECONDS = 6


@pytest.fixture(autouse=True)
def streams_survive():
    draining.keep_streams_at_shutdown()
    yield
    draining.keep_streams_at_shutdown()


@in_virtual_time
async def test_draining_ends_when_the_last_call_has_been_answered():
    state = ServerState(now)
    with state.call():
        ending = asyncio.create_task(drain(state, 0))
        await asyncio.sleep(LONG_SECONDS)  # of virtual time
        still_running = not ending.done()

    await ending

    assert still_running
    assert state.draining
    assert now() < LONG_SECONDS + 1


@in_virtual_time
async def test_draining_ends_idle_streams():
    state = ServerState(now)

    async def stream():
        with state.stream() as one:
            await one.ended.wait()

    streaming = asyncio.create_task(stream())
    await asyncio.sleep(0)

    await drain(state, 0)

    assert streaming.done()
    assert now() < 1


@in_virtual_time
async def test_a_stream_with_a_pending_answer_is_not_ended():
    state = ServerState(now)
    with state.stream() as stream:
        stream.note_message(Message(1, "tools/call"))
        ending = asyncio.create_task(drain(state, 0))
        await asyncio.sleep(LONG_SECONDS)  # of virtual time
        ended = stream.ended.is_set()

    await ending

    assert not ended


@in_virtual_time
async def test_lingering_ends_early_when_no_client_is_connected():
    await linger(ServerState(now), 60)

    assert now() == pytest.approx(UNCONNECTED_SECONDS, abs=0.1)


@in_virtual_time
async def test_lingering_begins_at_the_last_response_that_kept_its_connection():
    state = ServerState(now)
    state.count_connections = lambda: 1
    with state.stream() as stream:
        stream.note_message(Message(1, "tools/call"))
        ending = asyncio.create_task(drain(state, LINGER_SECONDS))
        await asyncio.sleep(LONG_SECONDS)  # of virtual time
        state.note_kept_connection()

    await ending

    assert now() == pytest.approx(LONG_SECONDS + LINGER_SECONDS, abs=0.1)
