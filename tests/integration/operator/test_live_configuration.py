"""A change of tools reaches replicas at once, and is reconciled when all run it."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from mcphub_operator import names
from mcphub_operator.client.kinds import CONFIG_MAP, DEPLOYMENT, POD
from mcphub_operator.settings import PodAccess
from tests.support.running_operator import READY_POD, World, running_operator
from tests.support.waiting import wait_until

ADDRESSES = ("127.83.16.1", "127.83.16.2")
"""Of this test alone: each replica has an address of its own for the one port."""


@dataclass
class Replica:
    """Says which live configuration it runs."""

    address: str
    digest: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        etag = f'"{self.digest}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        body = {"version": "0.1.0", "configuration": {"digest": self.digest}}
        return web.json_response(body, headers={"ETag": etag})


@asynccontextmanager
async def serving(*replicas: Replica) -> AsyncIterator[None]:
    runners = []
    try:
        for replica in replicas:
            app = web.Application()
            app.router.add_get(names.PATH_STATUS, replica.answer)
            runners.append(web.AppRunner(app))
            await runners[-1].setup()
            port = names.PORT_MANAGEMENT_NUMBER
            await web.TCPSite(runners[-1], replica.address, port).start()
        yield
    finally:
        for runner in runners:
            await runner.cleanup()


async def find_digest(world: World) -> str:
    config_map = await world.get(CONFIG_MAP, "team-data")
    text = config_map["data"][names.LIVE_KEY]
    return hashlib.sha256(text.encode()).hexdigest()[:16]


async def find_pods(world: World) -> list[Any]:
    return await world.list(POD, f"{names.LABEL_INSTANCE}=team-data")


async def find_told(world: World) -> set[str]:
    """Return the configurations of which the pods' annotations tell kubelets."""
    pods = await find_pods(world)
    return {
        (pod["metadata"].get("annotations") or {}).get(names.ANNOTATION_LIVE, "")
        for pod in pods
    }


async def wait_pods(world: World) -> None:
    async def are_there() -> bool:
        return len(await find_pods(world)) == len(ADDRESSES)

    await wait_until(are_there)


async def give_addresses(world: World) -> None:
    """Play the kubelets: two pods are Ready, each at an address."""
    for pod, address in zip(await find_pods(world), ADDRESSES, strict=True):
        status = READY_POD["status"] | {"podIP": address}
        await world.patch(POD, pod["metadata"]["name"], {"status": status}, "/status")


async def test_kubelets_are_told_of_a_change_and_nothing_restarts(world: World) -> None:
    replicas = [Replica(address) for address in ADDRESSES]
    async with (
        serving(*replicas),
        running_operator(world, pod_access=PodAccess.DIRECT) as running,
    ):
        await world.apply_hub(replicas=2)
        await wait_pods(world)
        digest = await find_digest(world)
        for replica in replicas:
            replica.digest = digest
        await give_addresses(world)
        await world.wait_condition("Reconciling", "False")
        told_at_rest = await find_told(world)
        before = await world.get(DEPLOYMENT, "team-data")
        running.requests.forget()

        await world.apply_hub(replicas=2, access={"rules": []})
        reconciling = await world.wait_condition("Reconciling", "True")
        wanted = await find_digest(world)

        async def are_told() -> bool:
            return await find_told(world) == {wanted}

        await wait_until(are_told)
        replicas[0].digest = wanted
        await wait_until(lambda: _says(world, "1 of 2 replicas"))
        replicas[1].digest = wanted
        await world.wait_condition("Reconciling", "False")
        after = await world.get(DEPLOYMENT, "team-data")

    assert told_at_rest == {""}
    assert "have not read the tools" in reconciling["message"]
    assert running.requests.count()["patch Pod"] == 2
    template = before["spec"]["template"]
    assert after["spec"]["template"] == template


async def _says(world: World, words: str) -> bool:
    return words in (await world.condition("Reconciling")).get("message", "")
