import asyncio

import pytest

from mcphub_server.traffic import drain as draining
from mcphub_server.traffic.drain import drain, linger
from mcphub_server.traffic.state import ServerState


@pytest.fixture(autouse=True)
def streams_survive():
    draining.keep_streams_at_shutdown()
    yield
    draining.keep_streams_at_shutdown()


async def test_draining_ends_when_the_last_call_has_been_answered():
    state = ServerState()
    with state.call():
        ending = asyncio.create_task(drain(state, 0))
        await asyncio.sleep(0.5)
        still_running = not ending.done()

    await asyncio.wait_for(ending, 5)

    assert still_running
    assert state.draining


async def test_draining_ends_idle_streams():
    state = ServerState()

    async def stream():
        with state.stream() as one:
            await one.ended.wait()

    streaming = asyncio.create_task(stream())
    await asyncio.sleep(0)

    await asyncio.wait_for(drain(state, 0), 5)

    assert streaming.done()


async def test_a_stream_that_owes_an_answer_is_not_ended():
    state = ServerState()
    with state.stream() as stream:
        stream.note_message(b'{"id":1,"method":"tools/call"}')
        ending = asyncio.create_task(drain(state, 0))
        await asyncio.sleep(0.6)
        ended = stream.ended.is_set()

    await asyncio.wait_for(ending, 5)

    assert not ended


async def test_lingering_ends_early_when_nobody_is_connected():
    loop = asyncio.get_running_loop()
    begun = loop.time()

    await linger(60, lambda: 0)

    assert loop.time() - begun < 30
