"""WebSockets at `/mcp`: who may open one, what it carries, and when it is closed."""

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.frames import Frame, Opcode

from mcphub_server.web.bodies import LARGEST_BODY
from mcphub_server.web.websocket_protocol import MOST_FRAMES
from tests.support.hub import TOKEN, HubFiles, LoopHub, hub_in_loop, hub_process
from tests.support.issuer import ISSUER, key_server, sign
from tests.support.waiting import wait_until
from tests.support.websocket_client import (
    FrameClient,
    bearer,
    frame_client,
    open_websocket,
)

ON = {"transports": {"webSocket": {"enabled": True}}}


def offer(token: str) -> str:
    """Return the subprotocol by which a page sends a token."""
    return f"bearer.{urlsafe_b64encode(token.encode()).decode().rstrip('=')}"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[LoopHub]:
    files = HubFiles(tmp_path / "hub", {**ON, "allowedHosts": ["app.example.com"]})
    async with hub_in_loop(files) as hub:
        yield hub


async def knock(hub: LoopHub, *args: Any, **options: Any) -> tuple[int, str]:
    """Return how a handshake is refused: the status and the text."""
    with pytest.raises(InvalidStatus) as refused:
        async with open_websocket(hub.url, *args, **options):
            pass
    response = refused.value.response
    return response.status_code, bytes(response.body or b"").decode()


@pytest.mark.parametrize(
    ("headers", "options", "status", "text"),
    [
        pytest.param({}, {}, 401, "Authorization", id="without a token"),
        pytest.param(bearer("wrong"), {}, 401, "unknown", id="with a wrong token"),
        pytest.param(
            {}, {"subprotocols": ["mcp", offer("wrong")]}, 401, "unknown",
            id="with a wrong token of a page",
        ),
        pytest.param(
            {}, {"subprotocols": ["mcp", "bearer.%%%"]}, 400, "a token",
            id="with a subprotocol that holds no token",
        ),
        pytest.param(
            bearer(TOKEN), {"origin": "https://evil.example.com"}, 403, "Origin",
            id="from a foreign page",
        ),
        pytest.param(
            bearer(TOKEN), {"subprotocols": ["other"]}, 400, "subprotocol",
            id="without the subprotocol",
        ),
    ],
)  # fmt: skip
async def test_a_handshake_is_refused(
    hub: LoopHub, headers: Any, options: Any, status: int, text: str
) -> None:
    refused, said = await knock(hub, headers, **options)

    assert refused == status
    assert text in said


async def test_a_handshake_to_the_host_of_another_server_is_refused(
    hub: LoopHub,
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with open_websocket(
            "http://evil.example.com",
            bearer(TOKEN),
            host="127.0.0.1",
            port=hub.port,
        ):
            pass

    assert refused.value.response.status_code == 421


async def test_a_handshake_without_a_host_is_refused(hub: LoopHub) -> None:
    handshake = (
        "GET /mcp HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
        f"Sec-WebSocket-Protocol: mcp\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    writer.write(handshake.encode())
    status = await reader.readline()
    writer.close()
    await writer.wait_closed()

    assert b" 400 " in status


@pytest.mark.parametrize("path", ["/sse", "/messages/", "/", "/health", "/metrics"])
async def test_no_other_path_takes_a_websocket(hub: LoopHub, path: str) -> None:
    status, _ = await knock(hub, bearer(TOKEN), path=path)

    assert status == 404


async def test_a_hub_that_offers_none_refuses_it(tmp_path: Path) -> None:
    async with hub_in_loop(HubFiles(tmp_path / "hub", {})) as hub:
        without = await knock(hub)
        with_token = await knock(hub, bearer(TOKEN))

    assert without[0] == 401
    assert with_token[0] == 405


async def test_every_layer_refuses_a_websocket_where_none_is_offered(
    tmp_path: Path,
) -> None:
    sent: list[Any] = []
    files = HubFiles(tmp_path / "hub", {"auth": {"type": "None"}})
    scope = {
        "type": "websocket", "path": "/mcp", "scheme": "ws", "query_string": b"",
        "headers": [(b"host", b"localhost")], "subprotocols": ["mcp"],
    }  # fmt: skip

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async with hub_in_loop(files) as hub:
        await hub.hub.app(scope, receive, send)

    assert sent[0]["type"] == "websocket.http.response.start"
    assert sent[0]["status"] == 404


async def test_only_the_protocol_is_echoed_to_a_page(hub: LoopHub) -> None:
    async with open_websocket(
        hub.url,
        subprotocols=["mcp", offer(TOKEN)],
        origin="https://app.example.com",
    ) as connection:
        client = FrameClient(connection)
        await client.open()
        listed = await client.ask("tools/list")
        response = connection.response

    assert connection.subprotocol == "mcp"
    assert response is not None
    assert response.headers.get_all("Sec-WebSocket-Protocol") == ["mcp"]
    assert "Sec-WebSocket-Extensions" not in response.headers
    assert {tool["name"] for tool in listed["result"]["tools"]} >= {"health_check"}


async def test_the_real_client_calls_a_tool(hub: LoopHub) -> None:
    async with hub.client("websocket") as client:
        answer = await client.call_tool("health_check")

    assert answer.structured_content["status"]


async def test_deflate_is_not_agreed_upon(hub: LoopHub) -> None:
    options = {"compression": "deflate"}
    async with open_websocket(hub.url, bearer(TOKEN), **options) as connection:
        assert connection.response is not None
        assert "Sec-WebSocket-Extensions" not in connection.response.headers


async def test_a_withdrawn_token_closes_the_connection(tmp_path: Path) -> None:
    files = HubFiles(
        tmp_path / "hub", ON, tokens={"alice": TOKEN, "bob": "secret-of-bob-22"}
    )
    async with (
        hub_in_loop(files) as hub,
        frame_client(hub.url, TOKEN) as alice,
        frame_client(hub.url, "secret-of-bob-22") as bob,
    ):
        (files.folder / "tokens" / "alice").unlink()
        with pytest.raises(ConnectionClosed) as closed:
            await alice.read()
        still = await bob.ask("ping")

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    assert "result" in still


async def test_a_token_that_expires_closes_the_connection(tmp_path: Path) -> None:
    async with key_server() as keys:
        jwt = {"issuer": ISSUER, "audience": "hub", "jwksURI": keys}
        files = HubFiles(tmp_path / "hub", {**ON, "auth": {"type": "JWT", "jwt": jwt}})
        # the server grants 30 s for clocks that differ
        token = sign(exp=int(time.time()) - 27)
        async with hub_in_loop(files) as hub, frame_client(hub.url, token) as client:
            with pytest.raises(ConnectionClosed) as closed:
                await client.read()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


async def test_a_message_that_is_too_large_closes_the_connection(hub: LoopHub) -> None:
    async with frame_client(hub.url, TOKEN) as client:
        fits = await client.ask("ping", {"padding": "x" * (LARGEST_BODY - 1000)})
        await client.connection.send("x" * (LARGEST_BODY + 1))
        with pytest.raises(ConnectionClosed) as closed:
            await client.read()

    assert "result" in fits
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


async def test_a_message_of_too_many_frames_closes_the_connection(hub: LoopHub) -> None:
    async with frame_client(hub.url, TOKEN) as client:
        frames = Frame(Opcode.TEXT, b"", fin=False).serialize(mask=True, extensions=[])
        empty = Frame(Opcode.CONT, b"", fin=False).serialize(mask=True, extensions=[])
        client.connection.transport.write(frames + empty * (MOST_FRAMES + 1))
        with pytest.raises(ConnectionClosed) as closed:
            await client.read()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


async def test_a_binary_message_closes_the_connection(hub: LoopHub) -> None:
    async with frame_client(hub.url, TOKEN) as client:
        await client.connection.send(b"{}")
        with pytest.raises(ConnectionClosed) as closed:
            await client.read()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1003


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param("nonsense", -32700, id="no JSON"),
        pytest.param("[1]", -32700, id="a list"),
        pytest.param(
            '{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}',
            -32600,
            id="an id that is no id",
        ),
        pytest.param("[" * 40_000, -32700, id="deep nesting"),
        pytest.param("[" * 100_000, -32600, id="too many values"),
        pytest.param(
            json.dumps({"jsonrpc": "2.0", "id": "x" * 300, "method": "ping"}), -32600,
            id="an id that is too long",
        ),
        pytest.param(
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": "x" * 5_000}), -32600,
            id="a method that is too long",
        ),
    ],
)  # fmt: skip
async def test_a_bad_frame_is_answered_and_the_session_goes_on(
    hub: LoopHub, frame: str, code: int
) -> None:
    async with frame_client(hub.url, TOKEN) as client:
        await client.connection.send(frame)
        answer = await client.read()
        after = await client.ask("ping")

    assert answer["id"] is None
    assert answer["error"]["code"] == code
    assert "result" in after


async def test_a_handshake_with_too_long_headers_is_answered(hub: LoopHub) -> None:
    with pytest.raises(InvalidHandshake) as refused:
        async with open_websocket(hub.url, bearer("x" * 9000)):
            pass

    assert isinstance(refused.value, InvalidStatus)
    assert refused.value.response.status_code == 431


@pytest.mark.parametrize(
    ("headers", "offered"),
    [
        pytest.param(bearer(TOKEN), ["mcp"], id="header"),
        pytest.param({}, ["mcp", offer(TOKEN)], id="subprotocol"),
    ],
)
async def test_each_call_has_an_audit_line_and_no_token_is_logged(
    tmp_path: Path, headers: dict[str, str], offered: list[str]
) -> None:
    files = HubFiles(tmp_path / "hub", ON)
    with hub_process(files, MCPHUB_LOG_LEVEL="debug") as server:
        async with open_websocket(server.url, headers, offered) as connection:
            client = FrameClient(connection)
            await client.open()
            for _ in range(2):
                number = await client.call("health_check")
                while (await client.read()).get("id") != number:
                    pass
        await knock(server, {}, subprotocols=["mcp", offer(f"{TOKEN}-not")])
        text = server.log.read_text()

    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    calls = [line for line in lines if line["event"] == "tool call"]
    assert [line["client"] for line in calls] == ["alice", "alice"]
    assert calls[0]["session"] == calls[1]["session"] != ""
    assert calls[0]["address"] == "127.0.0.1"
    assert TOKEN not in text
    assert offer(TOKEN).removeprefix("bearer.")[:12] not in text


async def test_the_rate_limit_counts_by_connection(tmp_path: Path) -> None:
    limits = {"requestsPerSecond": 1, "burst": 6}
    files = HubFiles(tmp_path / "hub", {**ON, "limits": limits})
    async with (
        hub_in_loop(files, lambda: 0.0) as hub,
        frame_client(hub.url, TOKEN) as client,
    ):
        answers = [await client.ask("tools/list") for _ in range(8)]

    assert answers[-1]["error"]["code"] == -32029


async def test_a_connection_counts_as_a_stream(hub: LoopHub) -> None:
    async with frame_client(hub.url, TOKEN):
        during = hub.hub.state.streams
    await wait_until(lambda: hub.hub.state.streams == 0)

    assert during == 1


async def test_a_full_replica_takes_no_more(tmp_path: Path) -> None:
    files = HubFiles(tmp_path / "hub", ON)
    async with hub_in_loop(files, max_streams=1) as hub, frame_client(hub.url, TOKEN):
        status, said = await knock(hub, bearer(TOKEN))

    assert status == 503
    assert "no room" in said
