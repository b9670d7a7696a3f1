"""What all children have in common: identity, labels, the owner, the hash of a wish.

A manifest holds only the fields that the operator owns; what the API server defaults
and what others add is none of its business.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from mcphub_operator import names
from mcphub_operator.spec.hub import Hub

Manifest = dict[str, Any]

HASH_LENGTH = 16


class ChildId(NamedTuple):
    """A child of a hub; all children live in the hub's namespace."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def child_id(manifest: Mapping[str, Any]) -> ChildId:
    """Tell which child a manifest is."""
    return ChildId(manifest["kind"], manifest["metadata"]["name"])


def build_hash(value: object) -> str:
    """Return a short stable hash of anything that JSON can hold."""
    text = msgspec.json.encode(value, order="sorted")
    return hashlib.sha256(text).hexdigest()[:HASH_LENGTH]


def build_labels(hub: Hub, version: str) -> dict[str, str]:
    """Return the labels of every child."""
    return {
        **names.selector_labels(hub.name),
        names.LABEL_MANAGED_BY: names.OPERATOR_NAME,
        names.LABEL_VERSION: version,
    }


def build_owner(hub: Hub) -> dict[str, Any]:
    """Return the reference by which the API server deletes children with their hub."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "name": hub.name,
        "uid": hub.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def build_manifest(
    api_version: str,
    kind: str,
    hub: Hub,
    name: str,
    version: str,
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    """Return a child without its content."""
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": hub.namespace,
        "labels": build_labels(hub, version),
        "ownerReferences": [build_owner(hub)],
    }
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def without_owner(manifest: Manifest) -> Manifest:
    """Return a child that outlives its hub; its labels still name the hub."""
    metadata = {k: v for k, v in manifest["metadata"].items() if k != "ownerReferences"}
    return {**manifest, "metadata": metadata}


def with_applied_hash(manifest: Manifest) -> Manifest:
    """Return the manifest with the hash of itself as an annotation.

    By it a later pass sees that the wish changed, removed fields included, without
    reading who owns which field. A Secret's data stays out of the hash: a plain hash
    of a secret is an oracle.
    """
    wish = {key: part for key, part in manifest.items() if key != "data"}
    hashed = wish if manifest["kind"] == "Secret" else manifest
    metadata = manifest["metadata"]
    annotations = {
        **metadata.get("annotations", {}),
        names.ANNOTATION_APPLIED: build_hash(hashed),
    }
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def drop_empty(value: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is None or empty: the API server would drop it anyway."""
    return {k: v for k, v in value.items() if v is not None and v not in ("", {}, [])}
