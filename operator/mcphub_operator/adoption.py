"""Whose an object is, and whether one that is offered for adoption may be taken.

A hub takes over an object without a controller that carries the annotation `adopt`. An
object that serves others (`foreign_use`) would no longer do so: that needs a second
annotation. What leads clients somewhere also needs a pod that can serve, and a Service
by which any hub reaches a backend is never taken over.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from mcphub_operator import names
from mcphub_operator.foreign_use import (
    DEPLOYMENT,
    ROUTES,
    binds_other_role,
    find_foreign_use,
    is_headless,
)
from mcphub_operator.resources.manifest import ChildId


class Owner(Enum):
    """The owner of an object, seen from a hub."""

    HUB = "this hub"
    PREVIOUS_OWNER = "a deleted hub of the same name"
    UNOWNED = "not a hub of this name"


class Adopter(NamedTuple):
    """A hub, as far as adoption needs it."""

    name: str
    namespace: str
    uid: str
    has_ready_pod: bool = False
    backend_services: frozenset[str] = frozenset()
    """`name.namespace` of the Services by which any hub reaches a backend."""
    named_secrets: frozenset[str] = frozenset()
    """With which any hub of the namespace logs in to a backend or a registry."""
    unlike_own: frozenset[str] = frozenset()
    """The Secrets under the names of the hub's own that hold something else."""


class Claim(NamedTuple):
    """Who owns an object, and why it was not adopted if it was offered."""

    owner: Owner
    refusal: str = ""


def find_owner(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the owner that controls an object; empty if none does."""
    owners = metadata.get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), {})


def judge_claim(hub: Adopter, child: ChildId, item: Mapping[str, Any]) -> Claim:
    """Tell who owns an object of a child's name."""
    metadata = item["metadata"]
    owner = find_owner(metadata)
    if owner.get("uid") == hub.uid:
        return Claim(Owner.HUB)
    if owner.get("kind") == names.KIND and owner.get("name") == hub.name:
        return Claim(Owner.PREVIOUS_OWNER)
    if owner:
        refusal = (
            f"{child} exists and belongs to {owner.get('kind')} {owner.get('name')};"
            " rename this hub"
        )
        return Claim(Owner.UNOWNED, refusal)
    if is_marked(hub.name, metadata):
        return Claim(Owner.HUB)
    return _judge_free(hub, child, item)


def _judge_free(hub: Adopter, child: ChildId, item: Mapping[str, Any]) -> Claim:
    metadata = item["metadata"]
    offered = (metadata.get("annotations") or {}).get(names.ANNOTATION_ADOPT)
    if offered == hub.name:
        refusal = _refuse(hub, child, item)
        return Claim(Owner.UNOWNED if refusal else Owner.HUB, refusal)
    return Claim(Owner.UNOWNED, _describe_foreign(hub, child, item))


def is_marked(hub: str, metadata: Mapping[str, Any]) -> bool:
    """Tell whether an object carries a hub's labels and the hash of its last apply.

    Such an object was the hub's and lost its owner reference.
    """
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations")
    return (
        labels.get(names.LABEL_INSTANCE) == hub
        and labels.get(names.LABEL_MANAGED_BY) == names.OPERATOR_NAME
        and names.ANNOTATION_APPLIED in (annotations or {})
    )


_KEPT = frozenset({"ConfigMap", "Secret", "ServiceAccount"})
"""What still serves others beside a hub, until the hub is deleted."""
_OF_CLUSTER = frozenset({"ServiceAccount default"})
_API_SERVER = ("Service kubernetes", "default")


def _find_use(hub: Adopter, child: ChildId, item: Mapping[str, Any]) -> str:
    """Return what an object does for others; the caches have no Secret's data."""
    if child.kind == "Secret":
        return "holds other data" if child.name in hub.unlike_own else ""
    return find_foreign_use(child, item, hub.name)


def _is_of_cluster(hub: Adopter, child: ChildId) -> bool:
    """Tell whether Kubernetes makes the object, for others than the hub."""
    return str(child) in _OF_CLUSTER or (str(child), hub.namespace) == _API_SERVER


def _refuse(hub: Adopter, child: ChildId, item: Mapping[str, Any]) -> str:
    if refusal := _refuse_unchangeable(hub, child, item):
        return refusal
    use = _find_use(hub, child, item)
    annotations = item["metadata"].get("annotations") or {}
    if use and annotations.get(names.ANNOTATION_TAKE_OVER) != hub.name:
        kept = child.kind in _KEPT
        loss = "would be deleted with the hub" if kept else "would no longer do so"
        return (
            f"{child} is not adopted: it {use} and {loss}; rename this"
            f" hub, or annotate {child} with {names.ANNOTATION_TAKE_OVER}={hub.name} as"
            " well"
        )
    if use and child.kind in ROUTES and not hub.has_ready_pod:
        return f"{child} is adopted once a pod of this hub is ready"
    return ""


def _refuse_unchangeable(hub: Adopter, child: ChildId, item: Mapping[str, Any]) -> str:
    """Return why an object cannot be adopted whatever its annotations are."""
    if _is_of_cluster(hub, child):
        return f"{child} cannot be adopted: it belongs to the cluster; rename this hub"
    if words := _describe_fixed(hub, child, item):
        return words
    if child.kind == "Secret" and child.name in hub.named_secrets:
        return f"{child} cannot be adopted: a hub's spec names it; rename this hub"
    if not find_foreign_use(child, item, hub.name):
        return ""
    if child.kind == DEPLOYMENT:
        return (
            f"{child} cannot be adopted: it selects other pods, and a selector cannot"
            " be changed; delete it once its clients have moved, or rename the hub"
        )
    return _refuse_by_host(hub, child)


def _describe_fixed(hub: Adopter, child: ChildId, item: Mapping[str, Any]) -> str:
    """Say which field of an object no hub can use and the API server never changes."""
    if binds_other_role(child, item):
        return (
            f"{child} cannot be adopted: it binds another role, and the role of a"
            " binding cannot be changed; rename this hub, or delete the binding"
        )
    if str(child) == f"Service {hub.name}" and is_headless(item):
        return (
            f"{child} cannot be adopted: it is headless, has no address of its own and"
            " can never get one; rename this hub"
        )
    return ""


def _refuse_by_host(hub: Adopter, child: ChildId) -> str:
    where = f"{child.name}.{hub.namespace}"
    if child.kind != "Service" or where not in hub.backend_services:
        return ""
    return f"{child} cannot be adopted: a hub reaches a backend by it; rename this hub"


def _describe_foreign(hub: Adopter, child: ChildId, item: Mapping[str, Any]) -> str:
    """Say what to do about an object that serves others and was not offered."""
    if _is_of_cluster(hub, child):
        return f"{child} exists and belongs to the cluster; rename this hub"
    if child.kind == "Secret" and child.name in hub.named_secrets:
        return f"{child} exists, and a hub's spec names it; rename this hub"
    use = _find_use(hub, child, item)
    if not use:
        return ""
    if child.kind == "Service":
        use = "leads to a backend" if _refuse_by_host(hub, child) else use
    if child.kind in _NOT_FOR_DELETION:
        return f"{child} exists and {use}; rename this hub"
    return f"{child} exists and {use}; rename this hub, or delete {child}"


_NOT_FOR_DELETION = frozenset({"Service", "Secret", "ServiceAccount"})
"""Kinds on whose objects other programs depend, which nothing here can see."""
