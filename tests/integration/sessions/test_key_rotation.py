"""Signing keys that change under running replicas, as kubelets change them."""

import asyncio
import time
from contextlib import AsyncExitStack
from itertools import count

import httpx2
import pytest

from mcphub_server.sessions.tokens.session_id import find_session_id
from tests.support.replicas.hub import running_hub, wait_until_listening

HEADERS = {
    "Authorization": "Bearer token-ann",
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2025-11-25",
}
OPENING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
NUMBERS = count(2)


def build_where():
    """Make a call with an id of its own: three at once share one session."""
    params = {"name": "where", "arguments": {}}
    number = next(NUMBERS)
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


class Volume:
    """A Secret's volume: links to a folder that changes as a whole."""

    def __init__(self, path):
        self.path = path
        path.mkdir()

    def bring(self, **files):
        """Swap the content, as a kubelet's atomic writer does."""
        number = next(NUMBERS)
        fresh = self.path / f"..version_{number}"
        fresh.mkdir()
        for name, content in files.items():
            (fresh / name).write_text(content)
        link = self.path / "..data_tmp"
        link.symlink_to(fresh.name)
        link.rename(self.path / "..data")
        for name in files:
            if not (self.path / name).is_symlink():
                (self.path / name).symlink_to(f"..data/{name}")


async def begin(http, base):
    opened = await http.post(f"{base}/mcp", json=OPENING)
    return opened.headers["mcp-session-id"]


async def ask_everywhere(http, hub, session_id):
    """Return how each replica answers a call of the session."""
    headers = {"mcp-session-id": session_id}
    calls = [
        http.post(f"{hub.at(replica)}/mcp", json=build_where(), headers=headers)
        for replica in hub.replicas
    ]
    return [answer.status_code for answer in await asyncio.gather(*calls)]


def is_signed_with(key, session_id):
    found = find_session_id(session_id, "ns/team-data", [key.encode()], time.time())
    return found is not None


async def wait_for_new_ids(http, base, key):
    """Return an id that is signed with the key, as soon as there is one."""
    async with asyncio.timeout(30):
        while True:
            session_id = await begin(http, base)
            if is_signed_with(key, session_id):
                return session_id
            await asyncio.sleep(0.1)


async def wait_until_refused(http, hub, session_id):
    async with asyncio.timeout(30):
        while set(await ask_everywhere(http, hub, session_id)) != {404}:  # noqa: ASYNC110 -- files are read again
            await asyncio.sleep(0.1)


@pytest.fixture
async def rotating(nursery, tmp_path):
    """Three replicas, each with a volume of its own, and those volumes."""
    volumes = [Volume(tmp_path / f"keys-{number}") for number in range(3)]
    async with (
        running_hub(nursery, tmp_path, 0, key_settling_seconds=2) as hub,
        AsyncExitStack() as stack,
    ):
        for volume in volumes:
            volume.bring(current="first", previous="none", state="state")
            replica = await hub.start(stack, keys=str(volume.path))
            await wait_until_listening(replica.address, hub.port)
        hub.publish(hub.replicas)
        yield hub, volumes


async def test_a_session_lives_through_one_rotation_and_not_a_second(rotating):
    hub, volumes = rotating
    async with httpx2.AsyncClient(headers=HEADERS, timeout=10) as http:
        base = hub.at(hub.replicas[0])
        old = await wait_for_new_ids(http, base, "first")

        for volume in volumes:
            volume.bring(current="second", previous="first", state="state")
        new = await wait_for_new_ids(http, base, "second")
        after_one = await ask_everywhere(http, hub, old)

        for volume in volumes:
            volume.bring(current="third", previous="second", state="state")
        await wait_until_refused(http, hub, old)
        after_two = await ask_everywhere(http, hub, new)

    assert after_one == [200] * 3
    assert after_two == [200] * 3


async def test_a_replica_that_has_a_new_key_first_signs_for_those_that_have_not(
    rotating,
):
    hub, volumes = rotating
    async with httpx2.AsyncClient(headers=HEADERS, timeout=10) as http:
        await wait_for_new_ids(http, hub.at(hub.replicas[0]), "first")

        volumes[0].bring(current="second", previous="first", state="state")
        begun = [await begin(http, hub.at(hub.replicas[0])) for _ in range(5)]
        answers = [await ask_everywhere(http, hub, each) for each in begun]

    assert answers == [[200] * 3] * 5


async def test_a_stream_stays_its_clients_through_a_rotation(rotating):
    hub, volumes = rotating
    async with httpx2.AsyncClient(headers=HEADERS, timeout=10) as http:
        for replica in hub.replicas:
            await wait_for_new_ids(http, hub.at(replica), "first")
        async with hub.client("sse") as client:
            before = (await client.call_tool("where")).data
            for volume in volumes:
                volume.bring(current="second", previous="first", state="state")
            await wait_for_new_ids(http, hub.at(hub.replicas[0]), "second")

            after = [(await client.call_tool("where")).data for _ in range(6)]

    assert after == [before] * 6


async def test_a_new_replica_signs_with_the_key_that_the_others_sign_with(
    rotating, tmp_path
):
    hub, _ = rotating
    async with (
        httpx2.AsyncClient(headers=HEADERS, timeout=10) as http,
        AsyncExitStack() as stack,
    ):
        for replica in hub.replicas:
            await wait_for_new_ids(http, hub.at(replica), "first")
        fresh = Volume(tmp_path / "keys-new")
        fresh.bring(current="first", previous="none", state="state")
        new = await hub.start(stack, keys=str(fresh.path), key_settling_seconds=600)
        await wait_until_listening(new.address, hub.port)

        begun = await begin(http, hub.at(new))

    assert is_signed_with("first", begun)
