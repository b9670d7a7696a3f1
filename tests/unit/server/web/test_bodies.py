import asyncio

import pytest

from mcphub_server.web import bodies
from mcphub_server.web.bodies import (
    LARGEST_BODY,
    READ_SECONDS,
    BodyBudget,
    BodyReader,
    ClientLeft,
    RequestRefused,
)
from mcphub_server.web.caller import Client, current_share, enter_client
from mcphub_server.web.throttle import (
    FREE_SECONDS,
    LONGEST_WAIT_SECONDS,
    LOOP_SHARE,
    Throttle,
)
from tests.support.virtual_time import in_virtual_time, now

ANN, BOB = ("ann", ""), ("bob", "")


def sending(*chunks):
    waiting = [*chunks]

    async def receive():
        body = waiting.pop(0)
        return {
            "type": "http.request",
            "body": body,
            "more_body": bool(waiting),
        }

    return receive


async def test_a_body_of_several_chunks_is_joined():
    assert await BodyReader().read(sending(b"a", b"b", b"c")) == b"abc"


@in_virtual_time
async def test_a_body_that_does_not_arrive_is_refused_in_time():
    with pytest.raises(RequestRefused) as refused:
        await BodyReader().read(asyncio.Event().wait)

    assert refused.value.status == 408
    assert now() == READ_SECONDS


async def test_a_client_that_leaves_gets_no_response():
    async def receive():
        return {"type": "http.disconnect"}

    with pytest.raises(ClientLeft):
        await BodyReader().read(receive)


async def test_a_body_that_grows_too_large_is_refused():
    chunk = b" " * (LARGEST_BODY // 2 + 1)

    with pytest.raises(RequestRefused) as refused:
        await BodyReader().read(sending(chunk, chunk))

    assert refused.value.status == 413


async def test_bytes_count_until_the_request_ends():
    budget, notes = BodyBudget(), []
    enter_client(Client(principal="ann"))
    readers = [BodyReader(budget, lambda: notes.append("full")) for _ in range(2)]
    await readers[0].read(sending(b" " * LARGEST_BODY))

    with pytest.raises(RequestRefused) as refused:
        await readers[1].read(sending(b" "))
    readers[0].close()
    again = await BodyReader(budget).read(sending(b" "))

    assert (refused.value.status, refused.value.retry_seconds) == (503, 5)
    assert notes == ["full"]
    assert again == b" "


def test_a_caller_leaves_room_for_others():
    budget = BodyBudget()

    assert budget.take(ANN, LARGEST_BODY)
    assert not budget.take(ANN, 1)
    assert budget.take(BOB, LARGEST_BODY)
    assert not budget.take(("eve", ""), 1)


def test_a_larger_container_holds_more():
    budget = BodyBudget(memory_bytes=512 * bodies.MEBIBYTE)

    assert budget.take(ANN, 8 * bodies.MEBIBYTE)
    assert not budget.take(ANN, 1)


@pytest.mark.parametrize(
    ("client", "caller"),
    [
        pytest.param(Client("ann", "10.0.0.1"), ANN, id="a principal"),
        pytest.param(
            Client(address="10.0.0.1"), ("anonymous", "10.0.0.1"), id="an address"
        ),
    ],
)
def test_whose_bytes_are_counted_together(client, caller):
    enter_client(client)

    assert current_share() == caller


async def test_a_body_of_too_many_values_is_refused():
    with pytest.raises(RequestRefused) as refused:
        await BodyReader().read(sending(b"[" + b"[]," * 60_000 + b"1]"))

    assert refused.value.status == 413
    assert "values" in refused.value.sentence


@in_virtual_time
async def test_large_bodies_of_one_caller_come_more_and_more_slowly():
    throttle = Throttle()
    bodies = [BodyReader(throttle=throttle) for _ in range(8)]

    for reader in bodies:
        await reader.read(sending(b" " * LARGEST_BODY))
        reader.close()

    assert now() > 0


@in_virtual_time
async def test_a_caller_who_sends_too_much_is_told_so():
    throttle = Throttle()
    await throttle.spend(FREE_SECONDS + (LONGEST_WAIT_SECONDS + 1) * LOOP_SHARE)

    with pytest.raises(RequestRefused) as refused:
        await BodyReader(throttle=throttle).read(sending(b"{}"))

    assert (refused.value.status, refused.value.retry_seconds) == (503, 5)
    assert now() == LONGEST_WAIT_SECONDS
