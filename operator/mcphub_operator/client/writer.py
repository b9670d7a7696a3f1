"""Every write of the operator to hubs and children, behind one fence.

A write starts only while this replica certainly holds the Lease, and ends before
another replica could hold it: `Fence` returns how many seconds that leaves.
"""

from collections.abc import Callable
from typing import Any

from mcphub_operator import names
from mcphub_operator.client.api import Api, Call, Object
from mcphub_operator.client.kinds import BY_NAME, DEPLOYMENT, HUB, POD, Kind
from mcphub_operator.errors import LeaseLost
from mcphub_operator.observed import Pod
from mcphub_operator.repairs import Operation
from mcphub_operator.resources.manifest import ChildId, Manifest

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
WRITE_SECONDS = 10.0
NO_VERSION = "1"
"""No object's version. An apply that asks for one and finds no object makes it."""

Fence = Callable[[], float]
"""How many seconds this replica may go on writing; 0 or less: none."""


class Writer:
    """Writes hubs' children and statuses."""

    def __init__(self, api: Api, fence: Fence) -> None:
        self._api = api
        self._fence = fence

    async def apply(self, manifest: Manifest) -> Object:
        """Server-side apply of a child; what the hub owns is forced."""
        return await self._apply(manifest, names.FIELD_MANAGER)

    async def apply_new(self, manifest: Manifest) -> Object:
        """Server-side apply of a child whose name must be free.

        A create would do the same, but leave fields that no later apply could take
        away: they would belong to the create.

        Raises:
            Conflict: there is an object of that name; nothing was written.
        """
        metadata = {**manifest["metadata"], "resourceVersion": NO_VERSION}
        return await self._apply(
            {**manifest, "metadata": metadata}, names.FIELD_MANAGER
        )

    async def hold_replicas(
        self, namespace: str, child: ChildId, replicas: int, version: int
    ) -> Object:
        """Take a Deployment's replicas over from the operator's own apply.

        Releasing the only ownership of a field resets it (a Deployment to one pod);
        with this second owner the number stays until the autoscaler writes its own.
        Refused if the Deployment is not at `version` any more: the number may be old.
        """
        manifest = {
            "apiVersion": DEPLOYMENT.group_version,
            "kind": DEPLOYMENT.name,
            "metadata": {
                "name": child.name,
                "namespace": namespace,
                "resourceVersion": str(version),
            },
            "spec": {"replicas": replicas},
        }
        return await self._apply(manifest, names.HANDOVER_MANAGER)

    async def scale(self, namespace: str, child: ChildId, replicas: int) -> Object:
        """Set a Deployment's replicas and leave everything else alone."""
        path = DEPLOYMENT.path(namespace, child.name)
        params = {"fieldManager": names.HANDOVER_MANAGER}
        body = {"spec": {"replicas": replicas}}
        return await self._write(
            Call("patch", DEPLOYMENT.name, "PATCH", path, params, body, MERGE)
        )

    async def repair(
        self,
        namespace: str,
        child: ChildId,
        version: int,
        operations: tuple[Operation, ...],
    ) -> Object:
        """Change single fields of a child that an apply cannot put right.

        Raises:
            Conflict: the child is not at `version` any more; nothing was written.
        """
        kind = BY_NAME[child.kind]
        path = kind.path(namespace, child.name)
        params = {"fieldManager": names.FIELD_MANAGER}
        seen = {"path": "/metadata/resourceVersion", "value": str(version)}
        body = [{"op": "replace", **seen}, *operations]
        return await self._write(
            Call("patch", kind.name, "PATCH", path, params, body, JSON_PATCH)
        )

    async def annotate_pod(
        self, namespace: str, pod: Pod, key: str, value: str
    ) -> Object:
        """Set one annotation of exactly the pod that was seen.

        Raises:
            Conflict: another pod has the name now; nothing was written.
        """
        path = POD.path(namespace, pod.name)
        params = {"fieldManager": names.FIELD_MANAGER}
        body = {"metadata": {"uid": pod.uid, "annotations": {key: value}}}
        return await self._write(
            Call("patch", POD.name, "PATCH", path, params, body, MERGE)
        )

    async def delete(self, namespace: str, child: ChildId, uid: str) -> None:
        """Delete exactly the object that was seen."""
        path = BY_NAME[child.kind].path(namespace, child.name)
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": "Background",
        }
        await self._write(Call("delete", child.kind, "DELETE", path, body=body))

    async def replace_status(self, before: Object, status: Object) -> Object:
        """Write a hub's whole status, if the hub is as it was seen.

        Raises:
            Conflict: it is not, perhaps by a write of ours whose answer was lost;
                conditions would get new times without a transition.
        """
        metadata = before["metadata"]
        path = HUB.path(metadata["namespace"], metadata["name"]) + "/status"
        # Not a test of the old value: it compares bytes, and the API server's own
        # writing of a text with "<" is another than ours.
        version = metadata["resourceVersion"]
        body = [
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
            {"op": "add", "path": "/status", "value": status},
        ]
        params = {"fieldManager": names.FIELD_MANAGER}
        return await self._write(
            Call("patch", HUB.name + "/status", "PATCH", path, params, body, JSON_PATCH)
        )

    async def create(self, kind: Kind, namespace: str, body: Object) -> Object:
        """Create an object that is no child, such as an Event."""
        path = kind.path(namespace)
        return await self._write(Call("create", kind.name, "POST", path, body=body))

    async def _apply(self, manifest: Manifest, manager: str) -> Object:
        metadata = manifest["metadata"]
        kind = BY_NAME[manifest["kind"]]
        path = kind.path(metadata["namespace"], metadata["name"])
        params = {"fieldManager": manager, "force": "true"}
        body: Any = manifest
        return await self._write(
            Call("apply", kind.name, "PATCH", path, params, body, APPLY)
        )

    async def _write(self, call: Call) -> Object:
        left = self._fence()
        if left <= 0:
            raise LeaseLost("the lease is not ours any more; nothing was written")
        return await self._api.ask(call, min(WRITE_SECONDS, left))
