"""Kubelets and nodes that a test plays: what they report of a hub's pods."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcphub_operator import names
from mcphub_operator.client.api import Call
from mcphub_operator.client.kinds import NODE, POD, Kind
from mcphub_operator.client.writer import MERGE
from tests.support.running_operator import Running, World, make_pods_ready
from tests.support.waiting import wait_until

UNREADY = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}


async def find_pod(world: World) -> str:
    selector = f"{names.LABEL_INSTANCE}=team-data"
    found: list[Any] = []

    async def there() -> bool:
        found[:] = await world.list(POD, selector)
        return bool(found)

    await wait_until(there)
    return str(found[0]["metadata"]["name"])


def container(**parts: Any) -> dict[str, Any]:
    status = {
        "name": "server",
        "image": "mcphub-server:1",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
    }
    return {"status": {"phase": "Pending", "containerStatuses": [status | parts]}}


def waiting(reason: str, message: str = "said the kubelet") -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}}


def ended(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    """The state of a container that has ended."""
    told = {"message": message} if message else {}
    return {"terminated": {"exitCode": code, "reason": reason} | told}


def head(kind: Kind) -> dict[str, str]:
    return {"apiVersion": kind.group_version, "kind": kind.name}


async def start_serving(running: Running, **spec: Any) -> None:
    world = running.world
    await world.apply_hub(**spec)
    await world.wait_condition("Stalled", "False")
    await make_pods_ready(world, "team-data", spec.get("replicas", 1))


async def wait_told(world: World, reason: str, word: str) -> str:
    """Wait until Ready has this reason, and a message with this word."""
    found: dict[str, Any] = {}

    async def is_told() -> bool:
        found.update(await world.condition("Ready"))
        return found.get("reason") == reason and word in str(found.get("message"))

    try:
        await wait_until(is_told)
    except AssertionError:
        raise AssertionError(f"{reason}, {word} never came; last: {found}") from None
    return str(found["message"])


async def place_pod(world: World, pod: str, node: str) -> None:
    """Play the scheduler."""
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": pod},
        "target": {"kind": "Node", "name": node},
    }
    path = POD.path(world.namespace, pod) + "/binding"
    await world.api.ask(Call("create", "Binding", "POST", path, body=binding))


@asynccontextmanager
async def lost_node(world: World) -> AsyncIterator[str]:
    """A node whose kubelet does not report."""
    name = f"lost-{world.namespace}"
    conditions = {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
    body = head(NODE) | {"metadata": {"name": name}}
    await world.api.create(NODE, world.namespace, body)
    try:
        path = NODE.path(None, name) + "/status"
        await world.api.ask(Call("patch", "Node", "PATCH", path, {}, conditions, MERGE))
        yield name
    finally:
        await world.api.ask(Call("delete", "Node", "DELETE", NODE.path(None, name)))
