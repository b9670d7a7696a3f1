"""A request for a stream is answered on it, or refused where it is posted."""

import asyncio
from types import SimpleNamespace

import pytest

from mcphub_server.sessions.sse import SseSessions
from mcphub_server.sessions.tokens.session_id import Owner
from mcphub_server.traffic.admission import StreamSender
from mcphub_server.traffic.streams import STREAM, Stream
from mcphub_server.web.request import Exchange, get_request

SDK_ID = "5" * 32
CALL = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{}}'


class Sdk:
    """The SDK's transport: opens one stream, accepts what is posted for it.

    Attributes:
        posted: The bodies that reached it.
        on_post: Called before a message is accepted.
    """

    def __init__(self):
        self.posted = []
        self.on_post = None
        self.opened = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self, scope, _receive, send):
        if scope["path"] == "/sse":
            event = f"data: /messages/?session_id={SDK_ID}\r\n\r\n".encode()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": event, "more_body": True})
            self.opened.set()
            await self.ended.wait()
            return
        body = get_request(scope).body
        if self.on_post is not None:
            await self.on_post()
        self.posted.append(body)
        await send({"type": "http.response.start", "status": 202, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class Signer:
    """Accepts every id, and owns every session."""

    identity = SimpleNamespace(uid=b"this replica")

    def sign_session(self, session):
        return session.sdk_session_id.hex()

    async def find_session(self, text, _transport, _principal):
        owner = Owner(None, self.identity.uid)
        return SimpleNamespace(sdk_session_id=bytes.fromhex(text), owner=owner)


class OpenStream:
    """One stream of a replica, and what its client was sent."""

    def __init__(self, sdk):
        metrics = SimpleNamespace(count=lambda _outcome: None)
        services = SimpleNamespace(signer=Signer(), forwarder=None, metrics=metrics)
        self.sessions = SseSessions(sdk, services)
        self.sent = bytearray()
        self.stream = Stream()
        self.sender = StreamSender(self.stream, self._send)

    async def _send(self, message):
        self.sent += message.get("body", b"")

    async def serve(self):
        scope = {"type": "http", "method": "GET", "path": "/sse", "headers": []}
        scope[STREAM] = self.stream
        await self.sessions.open_stream(Exchange(scope, None, self.sender))

    async def finish(self):
        """End the stream as a replica does that drains."""
        self.stream.ended.set()
        await self.sender.finish()

    async def post(self, body):
        """Return the status that a message is answered with."""
        query = f"session_id={SDK_ID}".encode()
        path = {"path": "/messages/", "query_string": query}
        scope = {"type": "http", "method": "POST", "headers": [], **path}
        statuses = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            statuses.append(message.get("status"))

        await self.sessions.post(Exchange(scope, receive, send))
        return statuses[0]


@pytest.fixture
async def sdk():
    return Sdk()


@pytest.fixture
async def opened(sdk):
    opened = OpenStream(sdk)
    serving = asyncio.create_task(opened.serve())
    await sdk.opened.wait()
    yield opened
    sdk.ended.set()
    await serving


async def test_the_first_request_of_a_stream_is_preceded_by_a_handshake(sdk, opened):
    status = await opened.post(CALL)

    assert status == 202
    assert b"notifications/initialized" in sdk.posted[0]
    assert sdk.posted[1] == CALL
    assert opened.stream.pending == {7}


async def test_a_request_whose_id_waits_for_its_answer_is_refused(sdk, opened):
    """One id for all of its calls would leave a stream without a bound on them."""
    statuses = [await opened.post(CALL) for _ in range(2)]

    assert statuses == [202, 400]
    assert sdk.posted.count(CALL) == 1


async def test_a_request_is_refused_if_its_stream_ends_during_the_handshake(
    sdk, opened
):
    """A client that came back to a replica that drains waits for no answer."""
    sdk.on_post = opened.finish

    status = await opened.post(CALL)

    assert status == 404
    assert CALL not in sdk.posted


async def test_a_request_before_the_last_event_is_declined_in_it(opened):
    opened.stream.ended.set()

    status = await opened.post(CALL)
    await opened.sender.finish()

    assert status == 202
    assert b'"id":7' in opened.sent
    assert b"did not begin this call" in opened.sent
