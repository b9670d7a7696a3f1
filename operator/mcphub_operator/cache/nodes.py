"""The cluster's nodes, reduced to the fields that a hub's status needs.

Hubs are enqueued only when one of those fields changes: heartbeats change nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from mcphub_operator.cache.pods import is_true
from mcphub_operator.client.api import Found, Object
from mcphub_operator.observed import Node


class NodeCache:
    """The cluster's nodes; None while we may not see them."""

    def __init__(self, enqueue_all: Callable[[], None]) -> None:
        self._enqueue_all = enqueue_all
        self._nodes: dict[str, Node] | None = None

    def all(self) -> tuple[Node, ...] | None:
        """Return the nodes."""
        return None if self._nodes is None else tuple(self._nodes.values())

    def upsert(self, item: Object) -> None:
        """Learn a node's present state."""
        node = build_node(item)
        self._set({**(self._nodes or {}), node.name: node})

    def remove(self, item: Object) -> None:
        """Learn that a node is gone."""
        gone = item["metadata"]["name"]
        self._set({k: v for k, v in (self._nodes or {}).items() if k != gone})

    def replace(self, _namespace: str | None, found: Found) -> None:
        """Forget what a list did not find."""
        nodes = self._nodes or {}
        self._set({name: n for name, n in nodes.items() if ("", name) in found})

    def _set(self, nodes: dict[str, Node]) -> None:
        if nodes != self._nodes:
            self._nodes = nodes
            self._enqueue_all()


def build_node(item: Mapping[str, Any]) -> Node:
    """Return what a URL needs of a node."""
    status = item.get("status") or {}
    found = [(a["type"], a["address"]) for a in status.get("addresses") or ()]
    return Node(
        name=item["metadata"]["name"],
        ready=is_true(status.get("conditions") or (), "Ready"),
        addresses=tuple(
            address
            for kind in ("ExternalIP", "InternalIP")
            for found_kind, address in found
            if found_kind == kind
        ),
    )
