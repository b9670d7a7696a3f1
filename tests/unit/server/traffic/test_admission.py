import asyncio

import pytest

from mcphub_server.traffic.admission import (
    STALLED_SECONDS,
    Admission,
    count_redirects,
    opens_session,
)
from mcphub_server.traffic.capacity import SESSIONS_PER_STREAM, Capacity
from mcphub_server.traffic.state import ServerState
from mcphub_server.web.jsonrpc import Message
from mcphub_server.web.request import get_request
from tests.support.virtual_time import in_virtual_time, now


def scope(method="GET", path="/sse", query="", **headers):
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [
            (name.replace("_", "-").encode(), value.encode())
            for name, value in headers.items()
        ],
    }


@pytest.mark.parametrize(
    ("request_scope", "stateful", "expected"),
    [
        pytest.param(scope(), False, True, id="a stream of SSE"),
        pytest.param(scope(path="/sse/"), False, True, id="with a slash"),
        pytest.param(
            scope("POST", "/mcp"), True, True, id="a session of streamable HTTP"
        ),
        pytest.param(scope("POST", "/mcp"), False, False, id="a stateless request"),
        pytest.param(
            scope("POST", "/mcp", mcp_session_id="x"),
            True,
            False,
            id="a request of a session",
        ),
        pytest.param(
            scope("POST", "/mcp", mcp_protocol_version="2026-07-28"),
            True,
            False,
            id="a modern request",
        ),
        pytest.param(
            scope("GET", "/sse", mcphub_forward_token="x"),
            True,
            False,
            id="what another replica forwards",
        ),
        pytest.param(scope("POST", "/messages/"), True, False, id="a message"),
    ],
)
def test_what_opens_a_stream_or_a_session(request_scope, stateful, expected):
    assert opens_session(get_request(request_scope), stateful=stateful) is expected


@pytest.mark.parametrize(
    ("query", "redirects"),
    [
        pytest.param("", 0, id="a first try"),
        pytest.param("a=b&redirect_count=3", 3, id="a fourth"),
        pytest.param("redirect_count=x", 0, id="nonsense"),
        pytest.param("redirect_count=99", 0, id="more than we ever count"),
    ],
)
def test_redirects_are_counted_in_the_query(query, redirects):
    assert count_redirects(scope(query=query)) == redirects


async def test_a_stream_that_is_cut_answers_pending_calls_with_an_error():
    state, sent = ServerState(), []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        body = {"type": "http.response.body", "body": b"data: x", "more_body": True}
        await send(body)
        scope["mcphub.stream"].note_message(Message(5, "tools/call"))
        assert (await receive())["type"] == "http.disconnect"

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)
        for stream in state.open_streams:
            stream.ended.set()

    await Admission(app, state)(scope(), receive, send)

    assert b'"id":5,"error":{"code":-32603' in sent[-1]["body"]
    assert sent[-1]["more_body"] is False
    assert state.streams == 0


@in_virtual_time
async def test_a_stream_that_its_client_does_not_read_ends():
    state, ended = ServerState(now), []

    async def app(_scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        body = {"type": "http.response.body", "body": b"data: x", "more_body": True}
        with pytest.raises(OSError, match="does not read"):
            await send(body)
        ended.append((await receive())["type"])

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    await Admission(app, state)(scope(), receive, send)

    assert ended == ["http.disconnect"]
    assert now() == pytest.approx(STALLED_SECONDS)
    assert state.streams == 0


@pytest.mark.parametrize(
    ("asked", "stateful", "status"),
    [
        pytest.param(scope("POST", "/mcp"), True, 503, id="a session"),
        pytest.param(
            scope("GET", "/mcp", mcp_session_id="x"), True, 503, id="its stream"
        ),
        pytest.param(
            scope("GET", "/mcp", mcp_session_id="x", last_event_id="y"),
            True,
            200,
            id="a reply that is resumed",
        ),
        pytest.param(
            scope("POST", "/mcp", mcp_session_id="x"), True, 200, id="an open one"
        ),
        pytest.param(scope("POST", "/mcp"), False, 200, id="a stateless request"),
    ],
)
async def test_sessions_on_mcp_take_room_too(asked, stateful, status):
    state, sent = ServerState(capacity=Capacity(2, 3)), []
    state.count_sessions = lambda: 3 * SESSIONS_PER_STREAM
    asked["query_string"] = b"redirect_count=4"

    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await Admission(app, state, stateful=stateful)(asked, receive, send)

    assert sent[0]["status"] == status


@in_virtual_time
async def test_a_response_begun_before_the_drain_keeps_its_connection_for_a_while():
    state = ServerState(now)

    async def answer_late(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        state.begin_draining()
        await asyncio.sleep(30)  # of virtual time
        await send({"type": "http.response.body", "body": b"done"})

    await call(Admission(answer_late, state), scope("POST", "/mcp"))

    assert state.count_kept_seconds() == 0


@in_virtual_time
async def test_a_response_that_asks_for_a_new_connection_keeps_none():
    state = ServerState(now)
    state.begin_draining()

    async def answer_late(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(30)  # of virtual time
        await send({"type": "http.response.body", "body": b"done"})

    sent = await call(Admission(answer_late, state), scope("POST", "/mcp"))

    assert (b"connection", b"close") in sent[0]["headers"]
    assert state.count_kept_seconds() == 30


async def call(app, request):
    """Serve one request without a body, and return what was sent."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await app(request, receive, send)
    return sent
