"""Whose an object is, and whether one that is offered for adoption may be taken.

A hub takes over an object without a controller that carries the annotation `adopt`. A
Service that leads to other pods (of a database) would no longer do so: that needs a
second annotation and a pod that can serve, and is refused if any hub reaches a backend
by the Service.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from mcphub_operator import names
from mcphub_operator.resources.manifest import ChildId

DEPLOYMENT = "Deployment"


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
        return Claim(Owner.UNOWNED)
    if is_marked(hub.name, metadata):
        return Claim(Owner.HUB)
    return _judge_free(hub, child, item)


def _judge_free(hub: Adopter, child: ChildId, item: Mapping[str, Any]) -> Claim:
    metadata = item["metadata"]
    offered = (metadata.get("annotations") or {}).get(names.ANNOTATION_ADOPT)
    if offered == hub.name:
        refusal = _refuse(hub, child, item)
        return Claim(Owner.UNOWNED if refusal else Owner.HUB, refusal)
    in_use = selects_others(child, item, hub.name)
    return Claim(Owner.UNOWNED, _describe_foreign(hub, child) if in_use else "")


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


def _refuse(hub: Adopter, child: ChildId, item: Mapping[str, Any]) -> str:
    if not selects_others(child, item, hub.name):
        return ""
    if child.kind == DEPLOYMENT:
        return (
            f"{child} cannot be adopted: it selects other pods, and a selector cannot"
            " be changed; delete it once its clients have moved, or rename the hub"
        )
    if refusal := _refuse_by_host(hub, child):
        return refusal
    annotations = item["metadata"].get("annotations") or {}
    if annotations.get(names.ANNOTATION_TAKE_OVER) != hub.name:
        return (
            f"{child} is not adopted: it selects pods that are not this hub's, which"
            f" would lose it; rename the hub, or annotate {child} with"
            f" {names.ANNOTATION_TAKE_OVER}={hub.name} as well"
        )
    if not hub.has_ready_pod:
        return f"{child} is adopted once a pod of this hub is ready"
    return ""


def _refuse_by_host(hub: Adopter, child: ChildId) -> str:
    where = f"{child.name}.{hub.namespace}"
    if child.kind != "Service" or where not in hub.backend_services:
        return ""
    return f"{child} cannot be adopted: a hub reaches a backend by it; rename this hub"


def _describe_foreign(hub: Adopter, child: ChildId) -> str:
    """Say what to do about an object that is in use and was not offered."""
    if child.kind == DEPLOYMENT:
        return f"{child} exists and runs other pods; rename this hub, or delete {child}"
    use = "a backend" if _refuse_by_host(hub, child) else "something else"
    return f"{child} exists and leads to {use}; rename this hub"


def selects_others(child: ChildId, item: Mapping[str, Any], hub: str) -> bool:
    """Tell whether an object that leads to pods leads to others than the hub's."""
    selector = (item.get("spec") or {}).get("selector")
    labels = names.selector_labels(hub)
    match child.kind:
        case "Service":
            return bool(selector != labels)
        case "Deployment":
            return bool(selector != {"matchLabels": labels})
        case _:
            return False
