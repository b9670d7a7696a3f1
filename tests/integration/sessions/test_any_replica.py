"""Clients whose requests land on any replica, without affinity."""

import asyncio
import json
import re
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_address

import httpx2
import pytest
import pytest_asyncio

from mcphub_server.sessions.tokens.session_id import (
    Transport,
    digest,
)
from tests.support.replicas.hub import wait_until_listening
from tests.support.replicas.session_ids import build_id
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANN = {"Authorization": "Bearer token-ann-4711-x"}
ACCEPT = {"Accept": "application/json, text/event-stream"}


def request(method, number=1, **params):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


OPENING = request(
    "initialize",
    protocolVersion="2025-11-25",
    capabilities={},
    clientInfo={"name": "test", "version": "1"},
)
WHERE = request("tools/call", 2, name="where", arguments={})


@asynccontextmanager
async def listening(address, port):
    """Listen where no replica is; yields the list of what was received."""
    received = []

    async def serve(reader, writer):
        received.append(b"")
        received[-1] = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, address, port)
    async with server:
        yield received


@pytest_asyncio.fixture(loop_scope="module")
async def http():
    async with httpx2.AsyncClient(headers=ANN | ACCEPT, timeout=100) as client:
        yield client


async def post(http, base, session_id, message):
    headers = {"mcp-session-id": session_id} if session_id else {}
    return await http.post(f"{base}/mcp", json=message, headers=headers)


async def post_sse(http, base, session_id, message):
    url = f"{base}/messages/?session_id={session_id}"
    return await http.post(url, json=message)


async def begin(http, base):
    opened = await post(http, base, "", OPENING)
    session_id = opened.headers["mcp-session-id"]
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    await post(http, base, session_id, note)
    return session_id


def find_text(response):
    data = re.search(r"^(data: )?(\{.*)$", response.text, re.MULTILINE)
    return json.loads(data[2])["result"]["content"][0]["text"]


async def count(http, management, outcome):
    text = (await http.get(f"{management}/metrics")).text
    name = f'mcphub_session_requests_total{{outcome="{outcome}"}}'
    return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)[1])


@pytest.mark.parametrize("transport", ["sse", "http"])
async def test_every_call_is_answered_by_the_owner_of_the_session(
    shared_hub, transport
):
    answers = set()
    async with shared_hub.client(transport) as client:
        for _ in range(6):
            answers.add((await client.call_tool("where")).data)

    assert len(answers) == 1


@pytest.mark.parametrize("transport", ["sse", "http"])
async def test_a_hundred_calls_at_once_find_their_sessions(shared_hub, transport):
    async def converse():
        async with shared_hub.client(transport) as client:
            calls = [client.call_tool("where") for _ in range(10)]
            return {answer.data for answer in await asyncio.gather(*calls)}

    owners = await asyncio.gather(*[converse() for _ in range(10)])

    assert all(len(owner) == 1 for owner in owners)
    assert set.union(*owners) == {"uid-0", "uid-1"}


async def test_a_request_for_a_foreign_session_is_counted_as_forwarded(
    shared_hub, http
):
    owner, other = shared_hub.replicas
    session_id = await begin(http, shared_hub.at(owner))
    before = await count(http, shared_hub.management_at(other), "forwarded")

    answer = await post(http, shared_hub.at(other), session_id, WHERE)

    async def counted() -> float:
        return await count(http, shared_hub.management_at(other), "forwarded") - before

    async def is_counted() -> bool:
        return await counted() > 0

    assert find_text(answer) == owner.uid
    await wait_until(is_counted)  # a replica counts once it has relayed the answer
    assert await counted() == 1


@pytest.mark.parametrize("transport", ["sse", "http", "modern"])
async def test_progress_reaches_a_client_at_another_replica(shared_hub, transport):
    steps = []

    async def note(progress, _total, _message):
        steps.append(progress)

    async with shared_hub.client(transport) as client:
        await client.call_tool("stepwise", {"steps": 3}, progress_handler=note)

    assert steps == [0, 1, 2]


async def test_the_owner_learns_who_is_calling(shared_hub, http):
    owner, other = shared_hub.replicas
    session_id = await begin(http, shared_hub.at(owner))
    who = request("tools/call", 2, name="who", arguments={})

    answer = await post(http, shared_hub.at(other), session_id, who)

    assert find_text(answer) == "ann 127.0.0.1"


async def test_a_client_that_leaves_frees_its_stream_at_the_owner(shared_hub, http):
    owner, other = shared_hub.replicas
    headers = {"mcp-session-id": await begin(http, shared_hub.at(owner))}
    async with http.stream(
        "GET", f"{shared_hub.at(other)}/mcp", headers=headers
    ) as one:
        assert one.status_code == 200
        taken = await http.get(f"{shared_hub.at(owner)}/mcp", headers=headers)
        assert taken.status_code == 409

    async def is_free():
        url = f"{shared_hub.at(owner)}/mcp"
        async with http.stream("GET", url, headers=headers) as again:
            return again.status_code == 200

    await wait_until(is_free)


def flip(text, place):
    """Change one letter of an id."""
    other = "A" if text[place] != "A" else "B"
    return text[:place] + other + text[place + 1 :]


BAD = [
    pytest.param(lambda kind: build_id(kind, key=b"forged"), id="forged"),
    pytest.param(lambda kind: build_id(kind, expires_at=1), id="expired"),
    pytest.param(lambda kind: build_id(kind)[:-9], id="truncated"),
    pytest.param(lambda kind: build_id(kind) + "AAAA", id="lengthened"),
    pytest.param(lambda kind: flip(build_id(kind), 20), id="of a changed owner"),
    pytest.param(lambda kind: flip(build_id(kind), -5), id="of a changed signature"),
    pytest.param(lambda kind: build_id(kind, hub="ns/other"), id="of another hub"),
    pytest.param(
        lambda kind: build_id(kind, principal=digest("bob")), id="of another client"
    ),
    pytest.param(lambda kind: build_id(OTHER[kind]), id="of another transport"),
    pytest.param(lambda _kind: "6e" * 16, id="the SDK's own"),
    pytest.param(lambda _kind: "", id="empty"),
]
OTHER = {Transport.SSE: Transport.HTTP, Transport.HTTP: Transport.SSE}


@pytest.mark.parametrize("build", BAD[:-1])
async def test_an_id_that_is_not_good_is_not_found(shared_hub, http, build):
    async with listening("127.0.0.9", shared_hub.port) as received:
        base = shared_hub.proxy.url
        answer = await post(http, base, build(Transport.HTTP), WHERE)

    assert answer.status_code == 404
    assert received == []


@pytest.mark.parametrize("build", BAD)
async def test_an_sse_id_that_is_not_good_is_not_found(shared_hub, http, build):
    async with listening("127.0.0.9", shared_hub.port) as received:
        base = shared_hub.proxy.url
        answer = await post_sse(http, base, build(Transport.SSE), WHERE)

    assert answer.status_code == 404
    assert received == []


async def test_nothing_is_sent_to_an_address_that_is_no_replica(shared_hub, http):
    async with listening("127.0.0.9", shared_hub.port) as received:
        base = shared_hub.at(shared_hub.replicas[0])
        lost = await post_sse(http, base, build_id(Transport.SSE), WHERE)
        adopted = await post(http, base, build_id(sdk_session_id=b"1" * 16), WHERE)

    assert received == []
    assert lost.status_code == 404
    assert find_text(adopted) == "uid-0"


async def test_credentials_stay_at_the_replica_that_the_client_talks_to(
    shared_hub, http
):
    members = shared_hub.members.read_text()
    address = "127.0.0.10"  # of no other test: the replicas remember it for a while
    shared_hub.members.write_text(f"{members}\n{address}")
    headers = {"cookie": "a=secret", "x-request-id": "mine", "user-agent": "test"}
    http.headers.update(headers)
    try:
        async with listening(address, shared_hub.port) as received:
            base = shared_hub.at(shared_hub.replicas[0])
            session_id = build_id(Transport.SSE, owner_address=ip_address(address))
            await post_sse(http, base, session_id, WHERE)
    finally:
        shared_hub.members.write_text(members)

    lines = received[0].decode().lower().split("\r\n")
    names = {line.partition(":")[0] for line in lines}
    assert names.isdisjoint({"authorization", "cookie"})
    assert {"mcphub-forward-token", "content-type"} <= names
    assert {"x-request-id: mine", "user-agent: test"} <= set(lines)


async def test_a_session_of_a_pod_whose_address_went_to_another_is_adopted(
    shared_hub, http
):
    heir, asked = shared_hub.replicas
    session_id = build_id(
        owner_address=ip_address(heir.address), sdk_session_id=b"2" * 16
    )

    answer = await post(http, shared_hub.at(asked), session_id, WHERE)

    assert find_text(answer) == asked.uid


async def test_a_stream_of_a_pod_whose_address_went_to_another_is_not_found(
    shared_hub, http
):
    heir, asked = shared_hub.replicas
    session_id = build_id(Transport.SSE, owner_address=ip_address(heir.address))

    answer = await post_sse(http, shared_hub.at(asked), session_id, WHERE)

    assert answer.status_code == 404


async def test_a_session_that_its_client_ended_does_not_come_back(shared_hub, http):
    base = shared_hub.at(shared_hub.replicas[0])
    session_id = await begin(http, base)

    await http.delete(f"{base}/mcp", headers={"mcp-session-id": session_id})
    answer = await post(http, base, session_id, WHERE)

    assert answer.status_code == 404


async def test_a_new_replica_is_known_before_its_name_is_published(shared_hub, http):
    async with AsyncExitStack() as stack:
        new = await shared_hub.start(stack)
        shared_hub.replicas.remove(new)
        await wait_until_listening(new.address, shared_hub.port)
        session_id = await begin(http, shared_hub.at(new))

        asked = shared_hub.replicas[0]
        answer = await post(http, shared_hub.at(asked), session_id, WHERE)

    assert new.address not in shared_hub.members.read_text()
    assert find_text(answer) == new.uid


async def test_a_forged_greeting_is_not_heard(shared_hub, http):
    base = shared_hub.at(shared_hub.replicas[0])

    answer = await http.post(f"{base}/mcp", headers={"mcphub-announcement": "Zm9yZ2Vk"})

    assert answer.status_code == 421


async def test_a_forged_ticket_opens_no_door(shared_hub):
    async with httpx2.AsyncClient(headers=ACCEPT, timeout=100) as stranger:
        headers = {"mcphub-forward-token": "bm90IGEgdGlja2V0"}
        base = shared_hub.at(shared_hub.replicas[0])
        answer = await stranger.post(f"{base}/mcp", json=OPENING, headers=headers)

    assert answer.status_code == 421
