"""What must be written so that the children are as desired; nothing where they are.

A manifest holds the fields that the operator owns, and the live object these, the API
server's defaults and other people's additions. So the question is containment, asked
in the API server's own spelling: quantities, and lists that merge by a key. Fields
that a manifest no longer has are found by the hash of the last manifest
(`resources.manifest.with_applied_hash`).
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from mcphub_operator import names
from mcphub_operator.field_ownership import SELECTORS, find_value
from mcphub_operator.node_ports import build_release
from mcphub_operator.observed import CachedObject, Observed
from mcphub_operator.repairs import Operation, find_repairs
from mcphub_operator.resources.children import Desired, unwanted_children
from mcphub_operator.resources.manifest import ChildId, Manifest, child_id

# Lists that Kubernetes merges by a key; others' members in them are none of ours.
MERGE_KEYS: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "imagePullSecrets": ("name",),
    "ownerReferences": ("uid",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
UNSEEN = frozenset({"apiVersion", "kind"})
"""A list's items do not carry these."""
UNSEEN_OF_SECRETS = UNSEEN | {"data", "type"}
"""Secrets are watched by their metadata; their data is compared apart."""
UNCHANGEABLE = {"RoleBinding": "roleRef"}
"""A field that the API server never changes: another value needs another object."""
QUANTITY_MAPS = frozenset({"requests", "limits"})
LABEL_MAPS = frozenset(
    {"labels", "annotations", "matchLabels", "selector", "nodeSelector"}
)
"""Maps in which an empty value means something."""


@dataclass(frozen=True, slots=True)
class Apply:
    """Write a child's manifest."""

    manifest: Manifest
    new: bool = False
    """Whether the name must be free: the caches know of nothing, and may lag."""

    @property
    def child(self) -> ChildId:
        """Return which child."""
        return child_id(self.manifest)


@dataclass(frozen=True, slots=True)
class Handover:
    """Hold a Deployment's replicas while the operator lets go of them."""

    child: ChildId
    replicas: int
    version: int
    """The state of the Deployment that has this number."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Change a Deployment's replicas and nothing else."""

    child: ChildId
    replicas: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a child that should not be."""

    child: ChildId
    uid: str


@dataclass(frozen=True, slots=True)
class Repair:
    """Change fields of a child that an apply cannot put right."""

    child: ChildId
    version: int
    """The state of the child that the operations are for."""
    operations: tuple[Operation, ...]
    manifest: Manifest = field(repr=False)
    """What the child is as afterwards."""


Step = Apply | Handover | Scale | Delete | Repair
Stage = tuple[Step, ...]


def build_plan(observed: Observed, desired: Desired) -> tuple[Stage, ...]:
    """Return what to write, in stages; the steps of a stage may run together.

    An autoscaler goes before its Deployment gets a fixed number and comes after the
    Deployment has let go of its own: the replicas never pass through another count.
    """
    compared = tuple(_compare(observed, desired))
    applies = tuple(step for step in compared if isinstance(step, Apply))
    deletes = tuple(_deletes(observed, desired))
    autoscaler, deployment = "HorizontalPodAutoscaler", "Deployment"
    last = {autoscaler, deployment}
    stages: tuple[Stage, ...] = (
        tuple(step for step in compared if isinstance(step, Repair)),
        tuple(d for d in deletes if d.child.kind == autoscaler),
        tuple(a for a in applies if a.child.kind not in last),
        tuple(_handovers(observed, desired)),
        (
            *(a for a in applies if a.child.kind == deployment),
            *_scales(observed, desired),
        ),
        tuple(a for a in applies if a.child.kind == autoscaler),
        tuple(d for d in deletes if d.child.kind != autoscaler),
    )
    return tuple(stage for stage in stages if stage)


def _compare(observed: Observed, desired: Desired) -> Iterator[Apply | Repair]:
    client_service = ChildId("Service", observed.hub.name)
    for manifest in desired.children:
        child = child_id(manifest)
        if child in observed.untouchable:
            continue
        live = observed.children.get(child)
        if live is None:
            yield Apply(manifest, new=child not in observed.free)
            continue
        if _must_be_replaced(manifest, live):
            continue
        if observed.is_exchanging_ports and child == client_service:
            yield Repair(child, live.version, build_release(), manifest)
            yield Apply(manifest)
            continue
        found = live.read()
        is_applied = differs(observed, manifest, found, settled=live.settled)
        if repairs := find_repairs(manifest, found, before_apply=is_applied):
            yield Repair(child, live.version, repairs, manifest)
        if is_applied:
            yield Apply(manifest)


def _deletes(observed: Observed, desired: Desired) -> Iterator[Delete]:
    """Yield the children that the spec no longer asks for, and those to replace.

    The event of its deletion brings the pass that makes a replaced child again.
    """
    yield from _unwanted(observed, desired)
    for manifest in desired.children:
        live = observed.children.get(child_id(manifest))
        if live is not None and _must_be_replaced(manifest, live):
            yield Delete(child_id(manifest), live.uid)


def _must_be_replaced(manifest: Manifest, live: CachedObject) -> bool:
    field = UNCHANGEABLE.get(manifest["kind"])
    return field is not None and live.read().get(field) != manifest[field]


def _unwanted(observed: Observed, desired: Desired) -> Iterator[Delete]:
    """Yield the children that the spec no longer asks for.

    Never a Secret that a spec names, or into which a user wrote: its contents may exist
    nowhere else.
    """
    for child in sorted(unwanted_children(observed.hub) - desired.kept):
        live = observed.children.get(child)
        named = child.kind == "Secret" and child.name in observed.referenced_secrets
        if live is None or live.owner_uid != observed.hub.uid or named:
            continue
        if child.kind != "Secret" or not live.rivals:
            yield Delete(child, live.uid)


def _handovers(observed: Observed, desired: Desired) -> Iterator[Handover]:
    child = ChildId("Deployment", observed.hub.name)
    live = observed.children.get(child)
    if desired.handover is None or live is None or child in observed.untouchable:
        return
    yield Handover(child, desired.handover, live.version)


def _scales(observed: Observed, desired: Desired) -> Iterator[Scale]:
    child = ChildId("Deployment", observed.hub.name)
    live = observed.children.get(child)
    if desired.scale is None or live is None or child in observed.untouchable:
        return
    if live.read()["spec"].get("replicas", 1) != desired.scale:
        yield Scale(child, desired.scale)


def differs(
    observed: Observed,
    manifest: Manifest,
    found: Mapping[str, Any],
    *,
    settled: bool,
) -> bool:
    """Tell whether a child must be applied again."""
    if _applied_hash(found) != _applied_hash(manifest):
        return True
    unseen = UNSEEN_OF_SECRETS if manifest["kind"] == "Secret" else UNSEEN
    wish = {key: part for key, part in manifest.items() if key not in unseen}
    if find_contested(manifest, found) if settled else not _contains(found, wish):
        return True
    return manifest["kind"] == "Secret" and not _same_data(observed, manifest)


_CONTESTABLE = (
    ("spec", "replicas"),
    ("metadata", "labels"),
    ("metadata", "annotations"),
    ("spec", "selector"),
    ("spec", "template", "metadata", "labels"),
    ("spec", "template", "metadata", "annotations"),
)


def find_contested(manifest: Manifest, found: Mapping[str, Any]) -> str:
    """Return a field that another party changed, where spelling cannot differ.

    In the answer to an apply it was changed on the way: by an admission policy.
    """
    for path in _CONTESTABLE:
        wish, live = find_value(manifest, path), find_value(found, path)
        if isinstance(wish, dict) and "matchLabels" not in wish:
            there = live if isinstance(live, dict) else {}
            for key, value in wish.items():
                if there.get(key) != value:
                    return f"{'.'.join(path)}[{key}]"
        elif isinstance(wish, int) and live != wish:
            return ".".join(path)
    return ""


def _applied_hash(manifest: Mapping[str, Any]) -> str | None:
    annotations = manifest["metadata"].get("annotations") or {}
    found = annotations.get(names.ANNOTATION_APPLIED)
    return None if found is None else str(found)


def _same_data(observed: Observed, manifest: Manifest) -> bool:
    live = observed.own_secrets.get(manifest["metadata"]["name"])
    wanted = {k: base64.b64decode(v) for k, v in manifest["data"].items()}
    return live is not None and all(live.data.get(k) == v for k, v in wanted.items())


def _contains(live: object, wish: object, field: str = "") -> bool:
    """Tell whether everything that is wished for is there."""
    if live is None:
        # The API server drops empty values; they were never really wished for. Not so
        # False, zero and selectors: leaving them out means something else.
        return wish in (None, "", {}, [], ()) and field not in SELECTORS
    # Not the abstract types: asking for them takes most of the time of a pass.
    if isinstance(wish, dict):
        return isinstance(live, dict) and all(
            _same_quantity(live.get(key), part)
            if field in QUANTITY_MAPS
            else live.get(key) == part
            if field in LABEL_MAPS and isinstance(part, str)
            else _contains(live.get(key), part, key)
            for key, part in wish.items()
        )
    if isinstance(wish, list | tuple):
        return isinstance(live, list) and _contains_list(live, wish, field)
    return live == wish


def _contains_list(live: Sequence[Any], wish: Sequence[Any], field: str) -> bool:
    keys = MERGE_KEYS.get(field)
    if keys is None:
        return len(live) == len(wish) and all(
            _contains(a, b) for a, b in zip(live, wish, strict=True)
        )
    there = {tuple(item.get(key) for key in keys): item for item in live}
    return all(
        _contains(there.get(tuple(item.get(key) for key in keys)), item)
        for item in wish
    )


_SUFFIXES = {
    "": Decimal(1),
    **{s: Decimal(1000) ** p for p, s in enumerate(("n", "u", "m"), start=-3)},
    **{s: Decimal(1000) ** p for p, s in enumerate("kMGTPE", start=1)},
    **{f"{s}i": Decimal(1024) ** p for p, s in enumerate("KMGTPE", start=1)},
}


def _same_quantity(live: object, wish: object) -> bool:
    if live == wish:
        return True
    amounts = _find_amount(live), _find_amount(wish)
    return amounts[0] is not None and amounts[0] == amounts[1]


def _find_amount(value: object) -> Decimal | None:
    text = str(value)
    digits = text.rstrip("numkKMGTPEi")
    factor = _SUFFIXES.get(text[len(digits) :])
    try:
        return None if factor is None else Decimal(digits) * factor
    except InvalidOperation:
        return None
