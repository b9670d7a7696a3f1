"""An answer that fails while it is made ends as an error for its request."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from mcphub_server.traffic.streams import STREAM, Stream
from mcphub_server.transports.late_errors import FAILED, LateErrors
from mcphub_server.web.bodies import ClientLeft, RequestRefused
from mcphub_server.web.paths import Endpoint
from mcphub_server.web.request import REQUEST, MCPRequest

CALL = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{}}'
NOTIFICATION = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
ROW = "a row of the database"

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Client:
    """What a client receives, until it leaves."""

    def __init__(self) -> None:
        self.status = 0
        self.body = b""
        self.is_over = False
        self.has_left = False

    async def send(self, message: Any) -> None:
        if self.has_left:
            raise OSError("gone")
        assert not self.is_over
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.body += message.get("body", b"")
        self.is_over = not message.get("more_body", False)


async def start(send: Send, content_type: str = "text/event-stream") -> None:
    headers = [(b"content-type", content_type.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def send_part(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def serve(
    make: Callable[[Send], Awaitable[None]],
    body: bytes = CALL,
    client: Client | None = None,
    stream: Stream | None = None,
    endpoint: Endpoint = Endpoint.HTTP,
) -> Client:
    """Send one request through the layer to an application."""
    client = client or Client()
    method = "POST" if stream is None else "GET"
    request = MCPRequest(endpoint, method, body=body)
    scope: dict[str, Any] = {"type": "http", REQUEST: request}
    if stream is not None:
        scope[STREAM] = stream

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await make(send)

    async def receive() -> Any:
        raise AssertionError

    await LateErrors(app)(scope, receive, client.send)
    return client


def find_errors(body: bytes) -> dict[int, str]:
    """Return the errors in a stream of events, by id."""
    events = [
        msgspec.json.decode(line.removeprefix(b"data: "))
        for line in body.splitlines()
        if line.startswith(b"data: {")
    ]
    return {each["id"]: each["error"]["message"] for each in events if "error" in each}


async def test_a_stream_that_fails_ends_with_an_error_for_its_request() -> None:
    async def make(send: Send) -> None:
        await start(send)
        await send_part(send, b": ping\r\n\r\n")
        raise ValueError(ROW)

    with capture_logs() as lines:
        client = await serve(make)

    assert client.is_over
    assert find_errors(client.body) == {7: FAILED}
    assert ROW.encode() not in client.body
    assert [line["event"] for line in lines] == ["answer failed unexpectedly"]


async def test_errors_of_several_tasks_end_a_stream_alike() -> None:
    async def make(send: Send) -> None:
        await start(send)
        raise ExceptionGroup("tasks", [ValueError(ROW), KeyError(ROW)])

    client = await serve(make)

    assert client.is_over
    assert find_errors(client.body) == {7: FAILED}


async def test_what_fails_before_its_response_is_answered_within_the_protocol() -> None:
    async def make(_send: Send) -> None:
        raise ValueError(ROW)

    client = await serve(make)

    answer = msgspec.json.decode(client.body)
    assert client.status == HTTPStatus.OK
    assert (answer["id"], answer["error"]["message"]) == (7, FAILED)


@pytest.mark.parametrize(
    ("body", "endpoint"),
    [
        pytest.param(NOTIFICATION, Endpoint.HTTP, id="a notification"),
        pytest.param(CALL, Endpoint.MESSAGES, id="answered on another stream"),
        pytest.param(b"rubbish", Endpoint.HTTP, id="no message"),
    ],
)
async def test_without_an_answer_to_come_the_status_says_so(
    body: bytes, endpoint: Endpoint
) -> None:
    async def make(_send: Send) -> None:
        raise ValueError(ROW)

    client = await serve(make, body, endpoint=endpoint)

    assert client.status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert msgspec.json.decode(client.body)["id"] is None


async def test_a_stream_of_sse_answers_all_that_is_pending_and_takes_no_more() -> None:
    stream = Stream()
    stream.pending = {3, "four"}

    async def make(send: Send) -> None:
        await start(send)
        await send_part(send, b"event: endpoint\r\ndata: /messages/\r\n\r\n")
        raise ValueError(ROW)

    client = await serve(make, b"", stream=stream, endpoint=Endpoint.SSE)

    assert client.is_over
    assert find_errors(client.body) == {3: FAILED, "four": FAILED}
    assert stream.finished


async def test_a_body_that_was_sent_in_part_is_cut() -> None:
    async def make(send: Send) -> None:
        await start(send, "application/json")
        await send_part(send, b'{"jsonrpc":')
        raise ValueError(ROW)

    client = Client()
    with pytest.raises(ValueError, match=ROW):
        await serve(make, client=client)

    assert not client.is_over


async def test_a_client_that_has_left_is_sent_nothing_more() -> None:
    client = Client()

    async def make(send: Send) -> None:
        await start(send)
        client.has_left = True
        await send_part(send, b": ping\r\n\r\n")

    with pytest.raises(OSError, match="gone"):
        await serve(make, client=client)


async def test_a_response_that_is_complete_stays_so() -> None:
    async def make(send: Send) -> None:
        await start(send)
        await send_part(send, b"", more=False)
        raise ValueError(ROW)

    client = Client()
    with pytest.raises(ValueError, match=ROW):
        await serve(make, client=client)

    assert find_errors(client.body) == {}


@pytest.mark.parametrize(
    "error", [RequestRefused(HTTPStatus.BAD_REQUEST, "no"), ClientLeft()]
)
async def test_what_bounds_bodies_is_answered_there(error: Exception) -> None:
    async def make(_send: Send) -> None:
        raise error

    client = Client()
    with pytest.raises(type(error)):
        await serve(make, client=client)

    assert not client.status
