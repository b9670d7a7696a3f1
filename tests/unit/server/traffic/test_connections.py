"""What a WebSocket may begin, and when it ends."""

import asyncio

import pytest

from mcphub_server.traffic import drain as draining
from mcphub_server.traffic.connections import (
    MOST_IN_FLIGHT,
    REPEATED,
    STOPPING,
    TOO_MANY,
    Connection,
)
from mcphub_server.traffic.drain import drain
from mcphub_server.traffic.state import ServerState
from tests.support.virtual_time import in_virtual_time, now

CALL = "tools/call"


@pytest.fixture(autouse=True)
def streams_survive():
    draining.keep_streams_at_shutdown()
    yield
    draining.keep_streams_at_shutdown()


def test_a_connection_has_so_many_requests_in_flight():
    connection = Connection()
    begun = [connection.begin(number, CALL) for number in range(MOST_IN_FLIGHT)]
    refused = connection.begin(MOST_IN_FLIGHT, CALL)
    connection.forget(0)

    assert set(begun) == {None}
    assert refused is TOO_MANY
    assert connection.begin(MOST_IN_FLIGHT, CALL) is None


def test_an_id_in_flight_is_not_taken_twice():
    connection = Connection()
    connection.begin(1, CALL)

    assert connection.begin(1, CALL) is REPEATED
    connection.forget(1)
    assert connection.begin(1, CALL) is None


def test_an_idle_connection_ends_as_soon_as_the_replica_drains():
    connection = Connection()

    connection.begin_draining()

    assert connection.ended.is_set()


def test_a_draining_connection_begins_no_call_and_ends_with_its_last_answer():
    connection = Connection()
    connection.begin(1, CALL)
    connection.begin(2, CALL)

    connection.begin_draining()
    refused = connection.begin(3, CALL)
    listing = connection.begin(4, "tools/list")
    for answered in (1, 4):
        connection.forget(answered)
    ended_early = connection.ended.is_set()
    connection.forget(2)

    assert refused is STOPPING
    assert listing is None
    assert not ended_early
    assert connection.ended.is_set()


@in_virtual_time
async def test_a_drain_waits_for_the_answer_of_a_connection():
    state = ServerState(now)
    with state.connection() as connection:
        connection.begin(1, CALL)
        ending = asyncio.create_task(drain(state, 0))
        await asyncio.sleep(30)  # of virtual time
        waits = not connection.ended.is_set()
        connection.forget(1)
        ended = connection.ended.is_set()
    await ending

    assert waits
    assert ended
    assert now() < 32


@in_virtual_time
async def test_a_drain_that_lasts_too_long_cuts_a_connection():
    state = ServerState(now)

    async def serve():
        with state.connection() as connection:
            connection.begin(1, CALL)
            await connection.ended.wait()

    serving = asyncio.create_task(serve())
    await asyncio.sleep(0)

    await drain(state, 0)

    assert serving.done()
    assert now() < draining.LONGEST_DRAIN_SECONDS + 1
