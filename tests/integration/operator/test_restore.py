"""The two Secrets that a hub cannot make again come back in any order (D8)."""

import re
from typing import Any

import pytest

from mcphub_operator import names
from mcphub_operator.client.kinds import HUB, SECRET
from tests.support.running_operator import Running, World, running_operator
from tests.support.waiting import wait_until
from tools.cluster.binaries import ensure_binaries
from tools.cluster.commands import run
from tools.project import ROOT

HUB_NAME = "team-data"
SECRETS = (f"{HUB_NAME}-auth", f"{HUB_NAME}-keys")
ROTATE = {names.ANNOTATION_ROTATE: "2026-11"}
Contents = dict[str, dict[str, str]]


def kubectl(world: World, *arguments: str, stdin: str | None = None) -> str:
    program = ensure_binaries().part("kubectl")
    where = ("--kubeconfig", world.kubeconfig, "-n", world.namespace)
    return run([program, *where, *arguments], stdin=stdin)


def documented_copy(world: World) -> str:
    """The Secrets as the command in docs/operations.md copies them."""
    page = (ROOT / "docs" / "operations.md").read_text()
    (template,) = re.findall(r"-o go-template='(.*?)' >", page, re.DOTALL)
    template = template.replace("NAME", HUB_NAME)
    return kubectl(world, "get", "secret", *SECRETS, "-o", f"go-template={template}")


def restore(world: World, copy: str) -> None:
    kubectl(
        *(world, "apply", "--server-side", "--force-conflicts", "-f", "-"), stdin=copy
    )


async def contents(world: World) -> Contents:
    found = {name: await world.find(SECRET, name) for name in SECRETS}
    return {name: item["data"] for name, item in found.items() if item}


async def wait_owned(world: World) -> None:
    """Wait until both Secrets belong to the hub that is there now."""

    async def owned() -> bool:
        uid = (await world.get(HUB, HUB_NAME))["metadata"]["uid"]
        items = [await world.find(SECRET, name) for name in SECRETS]
        return all(
            uid in str(i and i["metadata"].get("ownerReferences")) for i in items
        )

    await wait_until(owned)


async def apply_hub(world: World, **annotations: str) -> None:
    hub = world.hub(HUB_NAME)
    hub["metadata"]["annotations"] = annotations
    await world.apply(HUB, hub)


async def lose(world: World) -> None:
    """Delete the hub, and with it its Secrets."""
    await world.delete(HUB, HUB_NAME)

    async def gone() -> bool:
        return await contents(world) == {}

    await wait_until(gone)


async def make(world: World, running: Running) -> tuple[Contents, str]:
    """Make a hub; return what its Secrets hold, and a copy of them."""
    await apply_hub(world)
    await wait_owned(world)
    await running.settle()
    return await contents(world), documented_copy(world)


class TestD8ABackup:
    @pytest.mark.parametrize(
        "annotations",
        [
            pytest.param({}, id="as it was"),
            pytest.param(ROTATE, id="with an old request to rotate"),
        ],
    )
    async def test_restored_before_the_hub_is_kept(
        self, world: World, annotations: dict[str, str]
    ):
        async with running_operator(world) as running:
            made, copy = await make(world, running)
            await lose(world)

            restore(world, copy)
            await apply_hub(world, **annotations)
            await wait_owned(world)
            await running.settle()

            assert await contents(world) == made
            await world.wait_condition("Stalled", "False")

    async def test_restored_after_the_hub_is_kept(self, world: World):
        async with running_operator(world) as running:
            made, copy = await make(world, running)
            await lose(world)
            await apply_hub(world)
            await wait_owned(world)
            await running.settle()
            assert await contents(world) != made

            restore(world, copy)
            running.operator.enqueue_all()
            await running.settle()

            assert await contents(world) == made
            await world.wait_condition("Stalled", "False")
        async with running_operator(world) as restarted:
            await restarted.settle()

            assert await contents(world) == made

    async def test_restored_while_the_operator_is_absent_is_kept(self, world: World):
        async with running_operator(world) as running:
            made, copy = await make(world, running)
            await lose(world)
        await apply_hub(world, **ROTATE)
        restore(world, copy)
        async with running_operator(world) as running:
            await wait_owned(world)
            await running.settle()

            assert await contents(world) == made

    async def test_rotates_when_the_restored_hub_asks_for_it(self, world: World):
        async with running_operator(world) as running:
            made, copy = await make(world, running)
            await lose(world)
            restore(world, copy)
            await apply_hub(world)
            await wait_owned(world)

            await apply_hub(world, **ROTATE)

            async def rotated() -> bool:
                found = await contents(world)
                return all(found[name] != made[name] for name in SECRETS)

            await wait_until(rotated)
            keys = (await contents(world))[SECRETS[1]]
            assert keys[names.KEY_PREVIOUS] == made[SECRETS[1]][names.KEY_CURRENT]

    @pytest.mark.parametrize(
        "dropped",
        [
            pytest.param(("ownerReferences",), id="with the operator's marks"),
            pytest.param(
                ("ownerReferences", "annotations"), id="with the operator's labels"
            ),
            pytest.param(
                ("ownerReferences", "annotations", "labels"), id="with nothing"
            ),
        ],
    )
    async def test_of_another_tool_is_kept_once_it_is_offered(
        self, world: World, dropped: tuple[str, ...]
    ):
        async with running_operator(world) as running:
            made, _ = await make(world, running)
            copies = [bare(await world.get(SECRET, name), dropped) for name in SECRETS]
            await lose(world)
            for copy in copies:
                await world.create(SECRET, copy)

            await apply_hub(world)
            if "annotations" in dropped:
                await world.wait_condition("Stalled", "True", "Conflict")
                offer = f"{names.ANNOTATION_ADOPT}={HUB_NAME}"
                kubectl(world, "annotate", "secret", *SECRETS, offer)
            await wait_owned(world)
            await running.settle()

            assert await contents(world) == made
            await world.wait_condition("Stalled", "False")


def bare(item: dict[str, Any], dropped: tuple[str, ...]) -> dict[str, Any]:
    """A Secret without what belongs to its cluster."""
    kept = {"labels", "annotations", "ownerReferences"} - set(dropped)
    old = item["metadata"]
    metadata = {"name": old["name"]} | {k: old[k] for k in kept if k in old}
    return {"metadata": metadata, "data": item["data"]}
