"""A real operator inside a test, on a real API server, with every request counted."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from mcphub_operator import names
from mcphub_operator.client.api import Api, Call, Object, Request
from mcphub_operator.client.connection import open_connection
from mcphub_operator.client.kinds import DEPLOYMENT, HUB, POD, SECRET, Kind
from mcphub_operator.client.writer import APPLY, MERGE
from mcphub_operator.errors import Conflict, NotFound
from mcphub_operator.metrics import WRITES, Metrics
from mcphub_operator.observed import HubKey
from mcphub_operator.runtime.process import Operator
from mcphub_operator.settings import Settings
from mcphub_operator.status.condition_model import find_condition
from mcphub_operator.tracing.factory import Tracing
from tests.support.settling import (
    find_uncontrolled,
    find_unevaluated,
    find_unready_pods,
    find_unseen,
    read_contents,
)
from tests.support.waiting import pauses, wait_until

READY_POD = {
    "status": {
        "phase": "Running",
        "conditions": [
            {"type": "Ready", "status": "True"},
            {"type": "PodScheduled", "status": "True"},
        ],
    }
}
UNTIMED = {"metrics_grace_seconds": 0.0, "address_grace_seconds": 1e9}
"""Nothing gives autoscalers metrics, or load balancers addresses, here: what is told of
that must not depend on how long a test takes."""
SETTLE_SECONDS = 120.0
RETRY_SECONDS = 2.0
"""What is tried again later than this has failed several times, and will again."""


@dataclass
class Requests:
    """The requests that an operator made."""

    made: list[Request] = field(default_factory=list)

    @property
    def writes(self) -> list[str]:
        """The writes so far, as `verb kind`."""
        return [f"{r.verb} {r.kind}" for r in self.made if r.verb in WRITES]

    def count(self) -> Counter[str]:
        return Counter(self.writes)

    def forget(self) -> None:
        self.made.clear()


class CountingMetrics(Metrics):
    """Metrics that also keep every request."""

    def __init__(self, requests: Requests) -> None:
        super().__init__()
        self._kept = requests

    def requested(self, request: Request) -> None:
        super().requested(request)
        self._kept.made.append(request)


@dataclass
class World:
    """One namespace of a real API server, as a user sees it."""

    api: Api
    namespace: str
    kubeconfig: str

    def key(self, name: str = "team-data") -> HubKey:
        """The key of a hub in the operator's caches."""
        return HubKey(self.namespace, name)

    def hub(self, name: str = "team-data", /, **spec: Any) -> Object:
        """A hub's body for this namespace."""
        return {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        }

    async def apply(self, kind: Kind, body: Object, manager: str = "tests") -> Object:
        """Server-side apply as a user; fields left out are given up."""
        path = kind.path(self.namespace, body["metadata"]["name"])
        params = {"fieldManager": manager, "force": "true"}
        head = {"apiVersion": kind.group_version, "kind": kind.name}
        body = head | body
        call = Call("apply", kind.name, "PATCH", path, params, body, APPLY)
        return await self.api.ask(call)

    async def apply_hub(self, name: str = "team-data", /, **spec: Any) -> Object:
        return await self.apply(HUB, self.hub(name, **spec))

    async def dry_run_hub(self, **spec: Any) -> Object:
        """Ask whether the API server would take a hub with this spec."""
        body = self.hub("dry-run", **spec)
        params = {"dryRun": "All", "fieldManager": "tests"}
        path = HUB.path(self.namespace)
        return await self.api.ask(Call("create", HUB.name, "POST", path, params, body))

    async def create(self, kind: Kind, body: Mapping[str, Any]) -> Object:
        head = {"apiVersion": kind.group_version, "kind": kind.name}
        return await self.api.create(kind, self.namespace, head | dict(body))

    async def patch(
        self, kind: Kind, name: str, change: Any, subresource: str = ""
    ) -> Object:
        path = kind.path(self.namespace, name) + subresource
        params = {"fieldManager": "another-manager"}
        call = Call("patch", kind.name, "PATCH", path, params, change, MERGE)
        return await self.api.ask(call)

    async def delete(self, kind: Kind, name: str) -> None:
        path = kind.path(self.namespace, name)
        await self.api.ask(Call("delete", kind.name, "DELETE", path))

    async def end_pod(self, name: str) -> None:
        """Play the kubelet at a pod's end."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
        path = POD.path(self.namespace, name)
        with suppress(NotFound):
            await self.api.ask(Call("delete", "Pod", "DELETE", path, body=options))

    async def get(self, kind: Kind, name: str) -> Object:
        return await self.api.get(kind, self.namespace, name)

    async def find(self, kind: Kind, name: str) -> Object | None:
        with suppress(NotFound):
            return await self.get(kind, name)
        return None

    async def list(self, kind: Kind, selector: str = "") -> list[Object]:
        path = kind.path(self.namespace)
        params = {"labelSelector": selector} if selector else {}
        page = await self.api.ask(Call("list", kind.name, "GET", path, params))
        found: list[Object] = page["items"]
        return found

    async def create_secret(self, name: str, **data: str) -> Object:
        return await self.create(
            SECRET, {"metadata": {"name": name}, "stringData": data}
        )

    async def condition(self, kind: str, name: str = "team-data") -> Mapping[str, Any]:
        body = await self.get(HUB, name)
        conditions = (body.get("status") or {}).get("conditions") or ()
        return find_condition(conditions, kind) or {}

    async def wait_condition(
        self,
        kind: str,
        status: str,
        reason: str | None = None,
        name: str = "team-data",
    ) -> Mapping[str, Any]:
        """Wait for a condition of the present generation."""
        found: Mapping[str, Any] = {}

        async def holds() -> bool:
            nonlocal found
            found = await self.condition(kind, name)
            body = await self.get(HUB, name)
            current = found.get("observedGeneration") == body["metadata"]["generation"]
            right = found.get("status") == status
            return current and right and reason in (None, found.get("reason"))

        try:
            await wait_until(holds)
        except AssertionError:
            wanted = f"{kind}={status} {reason or ''}"
            raise AssertionError(f"{wanted} never came; last: {found}") from None
        return found


async def make_pods_ready(world: World, name: str, count: int) -> None:
    """Play the kubelets: report pods of a hub Ready until its Deployment says so."""

    async def holds() -> bool:
        selector = f"{names.LABEL_INSTANCE}={name}"
        for pod in await world.list(POD, selector):
            if "deletionTimestamp" in pod["metadata"]:
                await world.end_pod(pod["metadata"]["name"])
            elif not pod["status"].get("conditions"):
                await world.patch(POD, pod["metadata"]["name"], READY_POD, "/status")
        deployment = await world.get(DEPLOYMENT, name)
        status = deployment.get("status") or {}
        return bool(status.get("readyReplicas", 0) == count)

    await wait_until(holds)


@asynccontextmanager
async def open_world(kubeconfig: str, namespace: str) -> AsyncIterator[World]:
    """Make a namespace and open a client for it."""
    async with open_connection(kubeconfig) as connection:
        api = Api(connection, lambda _request: None)
        body = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": namespace},
        }
        with suppress(Conflict):
            call = Call("create", "Namespace", "POST", "/api/v1/namespaces", body=body)
            await api.ask(call)
        yield World(api, namespace, kubeconfig)


@dataclass
class Running:
    """A running operator."""

    operator: Operator
    requests: Requests
    world: World

    async def settle(self, *, pods_ready: bool = False) -> None:
        """Wait until the operator has seen everything and has nothing left to do.

        Args:
            pods_ready: wait for all pods to be Ready too, where a test plays kubelets.
        """
        clock = asyncio.get_running_loop().time
        deadline, pause = clock() + SETTLE_SECONDS, pauses()
        while pending := await self._find_pending(pods_ready):
            assert clock() < deadline, (pending, self.requests.made[-5:])
            await asyncio.sleep(next(pause))

    async def _find_pending(self, pods_ready: bool) -> list[str]:  # noqa: FBT001
        queue = self.operator.queue
        if not queue.is_idle(RETRY_SECONDS):
            return ["the work queue"]
        contents = await read_contents(self.world.api, self.world.namespace)
        # No await from here on: caches and queue are read at the same moment.
        pending = [
            *find_unseen(self.operator.caches, contents),
            *find_uncontrolled(contents),
            *find_unevaluated(contents),
            *(find_unready_pods(contents) if pods_ready else ()),
        ]
        return pending if queue.is_idle(RETRY_SECONDS) else ["the work queue"]


@asynccontextmanager
async def running_operator(
    world: World, tracing: Tracing | None = None, **settings: Any
) -> AsyncIterator[Running]:
    """Run an operator for one namespace until the block ends."""
    chosen = {
        "kubeconfig": world.kubeconfig,
        "namespaces": (world.namespace,),
        "leader_election": False,
        "lease_namespace": world.namespace,
        "http_port": 0,
        **UNTIMED,
        **settings,
    }
    requests = Requests()
    async with open_connection(world.kubeconfig) as connection:
        operator = Operator(
            Settings(**chosen), connection, CountingMetrics(requests), tracing
        )
        task = asyncio.create_task(operator.lead())
        try:
            await _until_ready(task, lambda: not operator.readiness.reason)
            yield Running(operator, requests, world)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _until_ready(task: "asyncio.Task[None]", ready: Callable[[], bool]) -> None:
    while not ready():
        if task.done():
            await task
        await asyncio.sleep(0.01)


def dump(value: Any) -> str:
    """A stable text of an object, for comparisons that print well."""
    return json.dumps(value, sort_keys=True, indent=1)
