import asyncio
import json

import pytest
from mcp_types import ErrorData, JSONRPCError, JSONRPCResponse

from mcphub_server.traffic.admission import StreamSender
from mcphub_server.traffic.streams import MOST_PENDING, Stream
from mcphub_server.web.jsonrpc import Message, parse_message


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def stream(clock):
    return Stream(clock)


def post(stream, **message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    return stream.note_message(parse_message(body))


def send(stream, message):
    data = message.model_dump_json(by_alias=True, exclude_unset=True)
    stream.note_chunk(f"event: message\r\ndata: {data}\r\n\r\n".encode())


@pytest.mark.parametrize("number", [7, -1, "seven", 'a "quoted" one', "läuft"])
@pytest.mark.parametrize(
    "build",
    [
        pytest.param(
            lambda number: JSONRPCResponse(jsonrpc="2.0", id=number, result={"a": 1}),
            id="a result",
        ),
        pytest.param(
            lambda number: JSONRPCError(
                jsonrpc="2.0", id=number, error=ErrorData(code=1, message="no")
            ),
            id="an error",
        ),
    ],
)
def test_a_request_is_pending_until_the_sdk_writes(stream, number, build):
    post(stream, id=number, method="tools/call")
    pending = set(stream.pending)

    send(stream, build(number))

    assert pending == {number}
    assert stream.pending == set()


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({"method": "notifications/initialized"}, id="a notification"),
        pytest.param({"id": 1, "result": {}}, id="an answer of the client"),
    ],
)
def test_nothing_is_pending_for(stream, message):
    post(stream, **message)

    assert stream.pending == set()


def test_a_result_that_quotes_an_answer_pays_for_nothing(stream):
    post(stream, id=2, method="tools/call")
    post(stream, id=1, method="tools/call")
    quoted = 'data: {"jsonrpc":"2.0","id":2,"result":'

    send(stream, JSONRPCResponse(jsonrpc="2.0", id=1, result={"text": quoted}))

    assert stream.pending == {2}


def test_a_stream_is_idle_when_nothing_is_pending_and_nothing_happened(stream, clock):
    post(stream, id=1, method="tools/call")
    clock.now = 10
    assert not stream.is_idle(0.3)

    send(stream, JSONRPCResponse(jsonrpc="2.0", id=1, result={}))
    assert not stream.is_idle(0.3)

    clock.now = 10.3
    assert stream.is_idle(0.3)


def test_pings_are_no_sign_of_life(stream, clock):
    clock.now = 10

    stream.note_chunk(b": ping - 2026-11-21\r\n\r\n")

    assert stream.is_idle(0.3)


def test_a_closing_stream_declines_requests_and_keeps_what_it_took(stream):
    post(stream, id=1, method="tools/call")
    stream.closing = True

    taken = post(stream, id=2, method="tools/call")

    assert not taken
    assert stream.pending == {1}
    assert stream.declined == {2}


@pytest.mark.parametrize("method", ["tools/list", "ping"])
def test_a_closing_stream_takes_what_is_answered_at_once(stream, method):
    """Python's SDK lists the tools after a call, and fails the call if it cannot."""
    post(stream, id=1, method="tools/call")
    stream.closing = True
    send(stream, JSONRPCResponse(jsonrpc="2.0", id=1, result={}))

    taken = post(stream, id=2, method=method)

    assert taken
    assert stream.pending == {2}
    assert stream.declined == set()


def test_a_closing_stream_takes_what_a_running_call_waits_for(stream):
    stream.closing = True

    assert post(stream, id=1, result={})


def test_declined_requests_are_no_sign_of_life(stream, clock):
    stream.closing = True
    clock.now = 10

    post(stream, id=1, method="tools/call")

    assert stream.is_idle(0.3)


def test_a_request_after_the_end_was_asked_for_is_declined(stream):
    stream.ended.set()

    taken = post(stream, id=1, method="tools/call")

    assert not taken
    assert stream.pending == set()
    assert stream.declined == {1}


async def test_the_last_event_leaves_a_stream_that_nothing_can_be_posted_to(stream):
    sent = []

    async def send(message):
        sent.append((message, stream.finished))

    sender = StreamSender(stream, send)
    await sender({"type": "http.response.start"})
    stream.ended.set()
    post(stream, id=1, method="tools/call")

    await sender.finish()

    last, was_finished = sent[-1]
    assert was_finished
    assert not last["more_body"]
    assert b"did not begin this call" in last["body"]


def test_a_cancelled_request_is_no_longer_pending(stream):
    post(stream, id=5, method="tools/call")
    post(stream, id=6, method="tools/call")

    post(stream, method="notifications/cancelled", params={"requestId": 5})

    assert stream.pending == {6}


def test_a_request_refused_on_its_post_is_not_pending(stream):
    post(stream, id=5, method="tools/call")

    stream.forget(5)

    assert stream.pending == set()


def test_a_stream_has_a_limit_of_pending_answers(stream):
    for number in range(MOST_PENDING):
        assert not stream.is_full
        post(stream, id=number, method="tools/call")

    assert stream.is_full


async def test_an_answer_is_pending_until_it_has_left(stream, clock):
    """The server below waits before it writes while a client does not read."""
    may_write = asyncio.Event()

    async def send(_message):
        await may_write.wait()

    post(stream, id=1, method="tools/call")
    answer = JSONRPCResponse(jsonrpc="2.0", id=1, result={})
    data = answer.model_dump_json(by_alias=True, exclude_unset=True)
    body = f"event: message\r\ndata: {data}\r\n\r\n".encode()
    message = {"type": "http.response.body", "body": body, "more_body": True}
    sending = asyncio.create_task(StreamSender(stream, send)(message))
    await asyncio.sleep(0)

    clock.now = 10
    was_quiet = stream.is_idle(0.3)
    may_write.set()
    await sending

    assert not was_quiet
    assert stream.pending == set()
    assert not stream.is_idle(0.3)


def test_what_is_kept_for_an_answer_is_released_with_it():
    stream, released = Stream(), []
    for number in (1, 2, 3):
        stream.note_message(Message(number, "tools/call"))
        stream.keep(lambda number=number: released.append(number))

    stream.forget(2)
    stream.forget(2)
    stream.forget(9)
    after_one = len(released)
    stream.close()
    stream.keep(lambda: released.append(4))

    assert after_one == 1
    assert sorted(released) == [1, 2, 3, 4]
