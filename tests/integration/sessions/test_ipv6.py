"""Replicas of which one has an IPv4 address and the other one an IPv6 address."""

from contextlib import AsyncExitStack

import httpx2
import pytest

from tests.integration.sessions.test_any_replica import (
    ACCEPT,
    ANN,
    WHERE,
    begin,
    find_text,
    post,
)
from tests.support.replicas.hub import running_hub, wait_until_listening


@pytest.fixture
async def mixed_hub(fork_server, tmp_path):
    async with (
        running_hub(fork_server, tmp_path, 1) as hub,
        AsyncExitStack() as stack,
    ):
        second = await hub.start(stack, address="::1")
        await wait_until_listening(second.address, hub.port)
        hub.publish(hub.replicas)
        yield hub


@pytest.fixture
async def http():
    async with httpx2.AsyncClient(headers=ANN | ACCEPT, timeout=100) as client:
        yield client


async def test_each_replica_forwards_to_the_other_one(mixed_hub, http):
    first, second = mixed_hub.replicas
    answers = []

    for owner, other in ((first, second), (second, first)):
        session_id = await begin(http, mixed_hub.at(owner))
        answer = await post(http, mixed_hub.at(other), session_id, WHERE)
        answers.append(find_text(answer))

    assert answers == [first.uid, second.uid]


@pytest.mark.parametrize("transport", ["sse", "http", "websocket"])
async def test_a_client_without_affinity_keeps_its_session(mixed_hub, transport):
    async with mixed_hub.client(transport) as client:
        answers = {(await client.call_tool("where")).data for _ in range(6)}

    assert len(answers) == 1
