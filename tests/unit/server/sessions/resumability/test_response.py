import json

from mcphub_server.sessions.resumability.response import BufferedResponse, Progress

ANSWER = {"jsonrpc": "2.0", "id": 7, "result": {}}
HEAD = b"event: message\r\ndata: "
STEP = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}


class Wire:
    """What a client receives."""

    def __init__(self):
        self.start = {}
        self.body = b""

    async def __call__(self, message):
        if message["type"] == "http.response.start":
            self.start = message
        self.body += message.get("body", b"")

    @property
    def headers(self):
        return dict(self.start["headers"])

    @property
    def events(self):
        return [event for event in self.body.split(b"\r\n\r\n") if event]


def event(message):
    data = json.dumps(message, separators=(",", ":")).encode()
    return b"event: message\r\ndata: " + data + b"\r\n\r\n"


async def make(reply, content_type, *chunks, status=200, headers=()):
    await reply.take(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", content_type), *headers],
        }
    )
    for number, chunk in enumerate(chunks, 1):
        more = number < len(chunks)
        message = {"type": "http.response.body", "body": chunk, "more_body": more}
        await reply.take(message)


async def test_a_stream_with_nothing_but_the_answer_becomes_one_body():
    reply, wire = BufferedResponse(7), Wire()
    session = (b"mcp-session-id", b"abc")
    await make(reply, b"text/event-stream", event(ANSWER), b"", headers=[session])

    await reply.send_whole(wire)

    assert json.loads(wire.body) == ANSWER
    assert wire.headers[b"content-type"] == b"application/json"
    assert wire.headers[b"mcp-session-id"] == b"abc"


async def test_a_body_becomes_the_event_that_it_would_have_been():
    reply, wire = BufferedResponse(7), Wire()
    await make(reply, b"application/json", json.dumps(ANSWER).encode())

    await reply.send_stream(wire, "an-id", None)

    priming, answer = wire.events
    assert priming == b"id: an-id\r\nretry: 1500\r\ndata: "
    assert json.loads(answer.partition(b"data: ")[2]) == ANSWER


async def test_what_comes_before_the_answer_is_told_first():
    reply, wire = BufferedResponse(7), Wire()
    chunks = event(STEP) + event(ANSWER)
    await make(reply, b"text/event-stream", chunks[:30], chunks[30:], b"")

    await reply.send_stream(wire, "an-id", None)

    assert reply.has_more_than_answer
    assert [b"progress" in one for one in wire.events] == [False, True, False]


async def test_pings_of_the_transport_are_not_the_clients_affair():
    reply = BufferedResponse(7)

    await make(reply, b"text/event-stream", b": ping - now\r\n\r\n", event(ANSWER), b"")

    assert not reply.has_more_than_answer
    assert reply.progress is Progress.COMPLETE


async def test_a_stream_that_breaks_off_is_not_complete():
    reply = BufferedResponse(7)

    await make(reply, b"text/event-stream", event(STEP), event(ANSWER)[:20])

    assert reply.progress is Progress.PARTIAL


async def test_a_reply_that_no_replica_can_make_ends_with_an_error():
    reply, wire = BufferedResponse(7), Wire()

    reply.give_up()
    await reply.send_whole(wire)

    error = json.loads(wire.body)
    assert error["id"] == 7
    assert error["error"]["code"] == -32603


async def test_a_refusal_that_comes_late_is_the_answer_of_this_request():
    reply, wire = BufferedResponse(7), Wire()
    refusal = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"x"}}'
    await make(reply, b"application/json", refusal, status=404)

    await reply.send_stream(wire, "an-id", None)

    assert json.loads(wire.events[-1].partition(b"data: ")[2])["id"] == 7


async def test_a_second_listener_hears_everything_from_the_beginning():
    reply, first, second = BufferedResponse(7), Wire(), Wire()
    await make(reply, b"text/event-stream", event(STEP), event(ANSWER), b"")

    await reply.send_stream(first, "an-id", None)
    await reply.send_stream(second, "an-id", None)

    assert first.body == second.body


async def test_a_late_error_of_mcp_keeps_its_words():
    error = {"code": -32602, "message": "There is no label Nothing."}
    body = event({"jsonrpc": "2.0", "id": 7, "error": error})[len(HEAD) : -4]
    reply, wire = BufferedResponse(7), Wire()
    await make(reply, b"application/json", body, status=400)

    await reply.send_stream(wire, "", None)

    answer = json.loads(wire.events[-1].split(b"data: ")[1])
    assert answer == {"jsonrpc": "2.0", "id": 7, "error": error}


async def test_a_late_refusal_that_names_another_request_answers_this_one():
    body = event({"jsonrpc": "2.0", "id": 8, "error": {"code": 1}})[len(HEAD) : -4]
    reply, wire = BufferedResponse(7), Wire()
    await make(reply, b"application/json", body, status=400)

    await reply.send_stream(wire, "", None)

    answer = json.loads(wire.events[-1].split(b"data: ")[1])
    assert answer["id"] == 7
    assert "open a new session" in answer["error"]["message"]
