"""`/status`: its ETag, and what `Prefer: wait=N` asks for."""

import asyncio

import pytest

from mcphub_server.management.status import StatusBoard, parse_wait
from mcphub_server.traffic.state import ServerState
from tests.support.virtual_time import in_virtual_time, now


@pytest.fixture
def state() -> ServerState:
    return ServerState()


@pytest.fixture
def board(state: ServerState) -> StatusBoard:
    board = StatusBoard("1.2.3", (), state)
    state.on_change(board.notify)
    return board


def test_traffic_does_not_change_the_etag(
    board: StatusBoard, state: ServerState
) -> None:
    before = board.etag

    with state.call(), state.stream():
        during = board.etag
        body = board.render()

    assert during == before
    assert (body["sessions"], body["inFlight"]) == (1, 1)


@in_virtual_time
async def test_a_waiting_poll_is_answered_at_a_change(
    board: StatusBoard, state: ServerState
) -> None:
    before = board.etag
    waiting = asyncio.create_task(board.wait_for_other(before, 60))
    await asyncio.sleep(0)

    state.begin_serving()

    assert await waiting != before
    assert now() == 0


@in_virtual_time
async def test_without_a_change_it_waits_as_long_as_asked(board: StatusBoard) -> None:
    before = board.etag

    assert await board.wait_for_other(before, 50) == before
    assert now() == pytest.approx(50)


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=50", 50),
        ("respond-async, wait=10", 10),
        ('wait="5"', 5),
        ("wait=-1", 0),
        ("wait=soon", 0),
        ("", 0),
    ],
)
def test_prefer_is_read_as_rfc_7240_writes_it(prefer: str, seconds: float) -> None:
    assert parse_wait(prefer) == seconds
