"""Other parties that write what is a hub's: users, controllers, a second operator."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from mcphub_operator import names
from mcphub_operator.client.api import Call, Object
from mcphub_operator.client.kinds import (
    BY_NAME,
    CHILD_KINDS,
    DEPLOYMENT,
    HUB,
    POD,
    SERVICE,
    Kind,
)
from mcphub_operator.errors import ApiError, NotFound
from mcphub_operator.field_ownership import EXACT, ExactField, find_value
from tests.integration.operator.faults.test_drift import AUTOSCALED, SPEC
from tests.support.definition import install_definition
from tests.support.exact_fields import add_to
from tests.support.fault_matrix.end_state import find_differences
from tests.support.fault_matrix.matrix import Matrix, Run
from tests.support.fault_matrix.runner import STEP_SECONDS, Fault, Runner, Sandbox
from tests.support.fault_matrix.scenario import BEGINNING, Scenario
from tests.support.running_operator import World, running_operator
from tests.support.waiting import wait_until
from tools.cluster.apiserver import ApiServer

pytestmark = [pytest.mark.timeout(1800), pytest.mark.full_matrix]

AGAIN_SECONDS = 0.2
HELD = "example.com/held"
CONTESTED = ("changed", "handed", "drifted")
THEIRS = {"metadata": {"labels": {"app.kubernetes.io/version": "theirs"}}}


@asynccontextmanager
async def repeating(step: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Do something again and again until the block ends."""

    async def repeat() -> None:
        while True:
            with suppress(ApiError):  # an object that is not there yet, or not any more
                await step()
            await asyncio.sleep(AGAIN_SECONDS)  # how often the other party looks

    task = asyncio.create_task(repeat())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def find_children(world: World) -> list[tuple[Kind, Object]]:
    return [
        (kind, item)
        for kind in CHILD_KINDS
        for item in await world.list(kind, names.MANAGED_SELECTOR)
    ]


@asynccontextmanager
async def with_foreign_pods(sandbox: Sandbox) -> AsyncIterator[None]:
    for hub in BEGINNING:
        labels = names.selector_labels(hub)
        spec = {"containers": [{"name": "x", "image": "x"}]}
        pod = {"metadata": {"name": f"stray-{hub}", "labels": labels}, "spec": spec}
        await sandbox.world.create(POD, pod)
    yield


@asynccontextmanager
async def with_contested_fields(sandbox: Sandbox) -> AsyncIterator[None]:
    async def undo() -> None:
        for hub in CONTESTED:
            with suppress(NotFound):
                await sandbox.world.patch(SERVICE, hub, THEIRS)

    async with repeating(undo):
        yield


@asynccontextmanager
async def with_stripped_owners(sandbox: Sandbox) -> AsyncIterator[None]:
    """All owner references of hubs that are there go at once."""
    yield
    world = sandbox.world
    hubs = {hub["metadata"]["uid"] for hub in await world.list(HUB)}
    for kind, item in await find_children(world):
        owners = item["metadata"].get("ownerReferences") or ({},)
        if owners[0].get("uid") in hubs:
            change = {"metadata": {"ownerReferences": None}}
            with suppress(NotFound):
                await world.patch(kind, item["metadata"]["name"], change)


@asynccontextmanager
async def with_finalizers(sandbox: Sandbox) -> AsyncIterator[None]:
    """Children are held by a finalizer of another controller while hubs change."""
    world = sandbox.world

    async def put(finalizers: list[str] | None) -> None:
        for kind, item in await find_children(world):
            found = item["metadata"].get("finalizers")
            is_ending = "deletionTimestamp" in item["metadata"]
            if bool(found) is not bool(finalizers) and not (finalizers and is_ending):
                change = {"metadata": {"finalizers": finalizers}}
                with suppress(NotFound):
                    await world.patch(kind, item["metadata"]["name"], change)

    async with repeating(lambda: put([HELD])):
        yield
    await put(None)


FAULTS = (
    Fault("pods of others carry a hub's labels", with_foreign_pods),
    Fault("another party undoes a field again and again", with_contested_fields),
    Fault("owner references removed", with_stripped_owners),
    Fault("children held by finalizers of others", with_finalizers),
)


@pytest.fixture(scope="module")
def others_ends(runner: Runner) -> dict[str, list[str]]:
    """What was not as it should be under each of these faults, by name."""
    return asyncio.run(runner.run_all(Scenario(), FAULTS))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_end_is_as_if_nothing_had_happened(
    others_ends: dict[str, list[str]], fault: Fault
):
    assert others_ends[fault.name] == []


async def test_two_operators_of_two_releases_end_as_one(runner: Runner, matrix: Matrix):
    """They share no Lease; the second ends. What it wrote is undone by upgrades."""
    scenario, began = Scenario(), time.monotonic()
    expected = await runner.find_end(scenario)
    wrong: list[str] = []
    async with runner.open_sandbox() as sandbox, running_operator(sandbox.world):
        async with running_operator(sandbox.world, server_image="mcphub-server:other"):
            for step in scenario.steps:
                await step(sandbox.world)
                await asyncio.sleep(STEP_SECONDS)  # part of the scenario

        async def has_ended() -> bool:
            lines = find_differences(expected, await sandbox.read())
            wrong[:] = [line for line in lines if names.ANNOTATION_UPGRADE not in line]
            return not wrong

        with suppress(AssertionError):
            await wait_until(has_ended)
    violations, seconds = sandbox.watcher.violations, time.monotonic() - began
    matrix.add(
        Run(
            "two operators of two releases",
            scenario.hubs,
            wrong=len(wrong),
            violations=len(violations),
            seconds=seconds,
        )
    )
    assert (wrong, violations) == ([], [])


async def add(world: World, field: ExactField) -> object | None:
    """Add to a field; return what was there if the API server took the addition."""
    kind = BY_NAME[field.kind]
    item = await world.get(kind, "hub")
    before = find_value(item, field.path)
    add_to(item, field)
    path = kind.path(world.namespace, "hub")
    try:
        written = await world.api.ask(Call("update", kind.name, "PUT", path, {}, item))
    except ApiError:
        return None
    return None if find_value(written, field.path) == before else (before,)


async def test_every_owned_field_is_put_right_when_it_was_added_to(
    runner: Runner, matrix: Matrix
):
    began, tried, lasting = time.monotonic(), 0, []
    async with runner.open_sandbox() as sandbox:
        world = sandbox.world
        await world.create_secret("login", username="u", password="p")
        async with running_operator(world) as running:
            await world.apply_hub("hub", **SPEC | AUTOSCALED)
            await world.wait_condition("Reconciling", "False", name="hub")
            for field in EXACT:
                await running.settle()
                if not (found := await add(world, field)):
                    continue
                tried += 1
                if not await is_put_back(world, field, found):
                    lasting.append(str(field))
    violations = sandbox.watcher.violations
    seconds = time.monotonic() - began
    matrix.add(
        Run(
            "each exact field added to",
            tried,
            wrong=len(lasting),
            violations=len(violations),
            seconds=seconds,
        )
    )
    assert (lasting, violations) == ([], [])


async def is_put_back(world: World, field: ExactField, before: object) -> bool:
    async def is_back() -> bool:
        item = await world.get(BY_NAME[field.kind], "hub")
        return (find_value(item, field.path),) == before

    try:
        await wait_until(is_back)
    except AssertionError:
        return False
    return True


async def test_hubs_are_served_after_their_definition_was_deleted(
    own_server: ApiServer, matrix: Matrix, tmp_path: Path
):
    began = time.monotonic()
    sandboxes = Runner(own_server, tmp_path, tmp_path, matrix)
    async with sandboxes.open_sandbox() as sandbox:
        world = sandbox.world
        async with running_operator(world) as running:
            await make_hubs(world)

            await asyncio.to_thread(
                own_server.run_kubectl, "delete", "crd", "mcphubs.mcp.bigtorig.com"
            )
            await wait_until(lambda: bool(running.operator.readiness.reason))
            await asyncio.to_thread(install_definition, own_server)
            await make_hubs(world)

            left = await world.list(DEPLOYMENT, names.MANAGED_SELECTOR)
    hubs = {item["metadata"]["name"] for item in left}
    violations = sandbox.watcher.violations
    seconds = time.monotonic() - began
    matrix.add(
        Run(
            "definition deleted, and back",
            len(BEGINNING),
            wrong=len({*BEGINNING} - hubs),
            violations=len(violations),
            seconds=seconds,
        )
    )
    assert (hubs, violations) == ({*BEGINNING}, [])


async def make_hubs(world: World) -> None:
    for name in ("login", "late"):
        with suppress(ApiError):
            await world.create_secret(name, username="u", password="p")
    for name, spec in BEGINNING.items():
        await world.apply_hub(name, **spec)
    for name in BEGINNING:
        await world.wait_condition("Reconciling", "False", name=name)
