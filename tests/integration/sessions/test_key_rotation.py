"""Signing keys that change under running replicas, as kubelets change them.

A key's age is that of its file, so tests let keys grow old by setting that.
"""

import asyncio
import os
import time
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count

import httpx2
import pytest

from mcphub_server.sessions.tokens.session_id import find_session_id
from tests.support.replicas.hub import running_hub, wait_until_listening
from tests.support.replicas.session_ids import build_id
from tests.support.waiting import wait_until

HEADERS = {
    "Authorization": "Bearer token-ann-4711-x",
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

    def settle(self):
        """Let the current key be older than any replica's patience."""
        os.utime(self.path / "current", (0, 0))


async def begin(http, base):
    opened = await http.post(f"{base}/mcp", json=OPENING)
    return opened.headers["mcp-session-id"]


async def ask(http, base, session_id):
    """Return how a replica answers a call of the session."""
    headers = {"mcp-session-id": session_id}
    answer = await http.post(f"{base}/mcp", json=build_where(), headers=headers)
    return answer.status_code


async def takes(http, base, session_id):
    return await ask(http, base, session_id) == 200


async def ask_everywhere(http, hub, session_id):
    """Return how each replica answers a call of the session."""
    calls = [ask(http, hub.at(replica), session_id) for replica in hub.replicas]
    return await asyncio.gather(*calls)


def is_signed_with(key, session_id):
    found = find_session_id(session_id, "ns/team-data", [key.encode()], time.time())
    return found is not None


async def wait_for_new_ids(http, base, key):
    """Return an id that is signed with the key, as soon as there is one."""
    begun = []

    async def is_signed():
        begun.append(await begin(http, base))
        return is_signed_with(key, begun[-1])

    await wait_until(is_signed)
    return begun[-1]


async def wait_for_answers(http, hub, session_id, status):
    """Return once every replica answers a call of the session so."""

    async def all_do():
        return set(await ask_everywhere(http, hub, session_id)) == {status}

    await wait_until(all_do)


async def rotate(http, hub, volumes):
    """Bring a second key to all replicas, and let it settle once all know it."""
    for volume in volumes:
        volume.bring(current="second", previous="first", state="state")
    await wait_for_answers(http, hub, build_id(key=b"second"), 200)
    for volume in volumes:
        volume.settle()


@asynccontextmanager
async def running_replicas(fork_server, folder, settling_seconds):
    """Run three replicas with a settled key, each with a volume of its own."""
    volumes = [Volume(folder / f"keys-{number}") for number in range(3)]
    async with (
        running_hub(
            fork_server, folder, 0, key_settling_seconds=settling_seconds
        ) as hub,
        AsyncExitStack() as stack,
    ):
        for volume in volumes:
            volume.bring(current="first", previous="none", state="state")
            volume.settle()
            await hub.start(stack, keys=str(volume.path))
        for replica in hub.replicas:
            await wait_until_listening(replica.address, hub.port)
        hub.publish(hub.replicas)
        yield hub, volumes


@pytest.fixture
async def rotating(fork_server, tmp_path):
    """Three replicas that read their keys again every second."""
    async with running_replicas(fork_server, tmp_path, 18) as running:
        yield running


@pytest.fixture
async def patient(fork_server, tmp_path):
    """Three replicas that believe no new key to have settled while a test lasts."""
    async with running_replicas(fork_server, tmp_path, 6000) as running:
        yield running


async def test_a_session_lives_through_one_rotation_and_not_a_second(rotating):
    hub, volumes = rotating
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        base = hub.at(hub.replicas[0])
        old = await begin(http, base)

        await rotate(http, hub, volumes)
        new = await wait_for_new_ids(http, base, "second")
        after_one = await ask_everywhere(http, hub, old)

        for volume in volumes:
            volume.bring(current="third", previous="second", state="state")
        await wait_for_answers(http, hub, old, 404)
        after_two = await ask_everywhere(http, hub, new)

    assert after_one == [200] * 3
    assert after_two == [200] * 3


async def test_a_replica_that_has_a_new_key_first_signs_for_those_that_have_not(
    patient,
):
    hub, volumes = patient
    base = hub.at(hub.replicas[0])
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        volumes[0].bring(current="second", previous="first", state="state")
        await wait_until(lambda: takes(http, base, build_id(key=b"second")))
        begun = [await begin(http, base) for _ in range(5)]
        answers = [await ask_everywhere(http, hub, each) for each in begun]

    assert answers == [[200] * 3] * 5


async def test_a_stream_stays_its_clients_through_a_rotation(rotating):
    hub, volumes = rotating
    async with (
        httpx2.AsyncClient(headers=HEADERS, timeout=100) as http,
        hub.client("sse") as client,
    ):
        before = (await client.call_tool("where")).data
        await rotate(http, hub, volumes)
        await wait_for_new_ids(http, hub.at(hub.replicas[0]), "second")

        after = [(await client.call_tool("where")).data for _ in range(6)]

    assert after == [before] * 6


async def test_a_new_replica_signs_with_the_key_that_the_others_sign_with(
    patient, tmp_path
):
    hub, _ = patient
    async with (
        httpx2.AsyncClient(headers=HEADERS, timeout=100) as http,
        AsyncExitStack() as stack,
    ):
        fresh = Volume(tmp_path / "keys-new")
        fresh.bring(current="first", previous="none", state="state")
        new = await hub.start(stack, keys=str(fresh.path))
        await wait_until_listening(new.address, hub.port)

        begun = await begin(http, hub.at(new))

    assert is_signed_with("first", begun)
