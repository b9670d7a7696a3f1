"""Every replica is replaced while clients keep calling."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.support.replicas.hub import running_hub, wait_until_listening
from tests.support.waiting import wait_until

CLIENTS_OF_EACH = 3
NEW = {"uid-2", "uid-3"}


async def keep_calling(client, stop, answers):
    while not stop.is_set():
        result = await client.call_tool("slow", {"seconds": 0.05})
        answers.append(result.data)


async def connect_clients(hub, stack, transport):
    """Connect as many clients through each replica; then any may get any request."""
    clients = []
    for replica in hub.replicas:
        hub.proxy.order[:] = [replica.address]
        for _ in range(CLIENTS_OF_EACH):
            client = hub.client(transport)
            clients.append(await stack.enter_async_context(client))
    hub.publish(hub.replicas)
    return clients


async def replace(hub, stack, old):
    """Do as a rollout does: one more, then the endpoint goes, then the pod."""
    new = await hub.start(stack)
    await wait_until_listening(new.address, hub.port)
    staying = [each for each in hub.replicas if each is not old]
    hub.publish(staying)
    hub.members.write_text("\n".join(each.address for each in [*staying, old]))
    old.terminate()
    await old.wait()
    hub.replicas.remove(old)
    hub.publish(staying)


@pytest.mark.parametrize(
    ("transport", "stateful"),
    [
        pytest.param("http", True, id="stateful sessions"),
        pytest.param("http", False, id="stateless requests"),
        pytest.param("modern", False, id="modern requests"),
    ],
)
async def test_no_call_is_lost(fork_server, tmp_path, transport, stateful):
    stop, answers = asyncio.Event(), []
    async with (
        running_hub(fork_server, tmp_path, 2, stateful=stateful) as hub,
        AsyncExitStack() as stack,
        asyncio.TaskGroup() as group,
    ):
        for client in await connect_clients(hub, stack, transport):
            group.create_task(keep_calling(client, stop, answers))
        await wait_until(lambda: set(answers) == {"uid-0", "uid-1"})
        for old in list(hub.replicas):
            await replace(hub, stack, old)
        answers.clear()
        await wait_until(lambda: len(answers) > 6 and set(answers[-6:]) <= NEW)
        stop.set()
