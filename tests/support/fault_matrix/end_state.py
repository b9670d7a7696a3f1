"""How a scenario of hubs ended, without what differs between any two tellings of it.

Children with every field but what is allocated or random, and the status with its
messages; a hub's own name is made neutral, so that two hubs can be compared too.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from mcphub_operator import names
from mcphub_operator.client.kinds import CHILD_KINDS, HUB
from tests.support.running_operator import World

HASHES = (
    names.ANNOTATION_APPLIED,
    names.ANNOTATION_INPUTS,
    names.ANNOTATION_TEMPLATE,
    names.ANNOTATION_SECRETS_HASH,
    "deployment.kubernetes.io/revision",
)
ALLOCATED = ("clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort")
TIMES = ("lastTransitionTime", "observedGeneration")
LEFT_OUT = frozenset({*HASHES, *ALLOCATED, *TIMES, "uid"})
NODE_PORT_URL = re.compile(r":3[0-2]\d{3}/")

State = dict[str, dict[str, Any]]


def normalize(item: Any) -> Any:
    """Return an object without what differs between any two hubs."""
    if isinstance(item, list):
        return [normalize(part) for part in item]
    if isinstance(item, str):
        return NODE_PORT_URL.sub(":port/", item)
    if not isinstance(item, dict):
        return item
    return {k: normalize(v) for k, v in item.items() if k not in LEFT_OUT}


async def read_end_state(world: World) -> State:
    """Return every hub's children and status, by the hub's name."""
    hubs = {hub["metadata"]["name"]: hub for hub in await world.list(HUB)}
    found: State = {name: {} for name in hubs}
    for kind in CHILD_KINDS:
        for item in await world.list(kind, names.MANAGED_SELECTOR):
            hub = item["metadata"]["labels"][names.LABEL_INSTANCE]
            child = f"{kind.name} {item['metadata']['name']}"
            found.setdefault(hub, {})[child] = _portray(kind.name, item)
    for name, hub in hubs.items():
        found[name]["status"] = normalize(hub.get("status") or {})
        found[name]["seen"] = _is_seen(hub)
    return {name: _rename(name, world.namespace, seen) for name, seen in found.items()}


def _portray(kind: str, item: Mapping[str, Any]) -> Any:
    metadata = item["metadata"]
    kept = {k: v for k, v in item.items() if k not in ("metadata", "status")}
    if kind == "Secret":
        kept["data"] = sorted(item.get("data") or ())
    kept["labels"] = metadata.get("labels")
    kept["annotations"] = metadata.get("annotations")
    kept["owners"] = len(metadata.get("ownerReferences") or ())
    return normalize(kept)


def _is_seen(hub: Mapping[str, Any]) -> bool:
    status = hub.get("status") or {}
    return bool(status.get("observedGeneration") == hub["metadata"]["generation"])


def _rename(name: str, namespace: str, seen: Any) -> Any:
    text = re.sub(rf"\b{name}\b", "HUB", json.dumps(seen))
    return json.loads(re.sub(rf"\b{namespace}\b", "NAMESPACE", text))


def find_differences(expected: Any, found: Any, path: str = "") -> list[str]:
    """Return where two states differ, a line each."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            line
            for key in sorted({*expected, *found})
            for line in find_differences(
                expected.get(key), found.get(key), f"{path}.{key}"
            )
        ]
    if expected == found:
        return []
    return [f"{path}: {_short(found)} instead of {_short(expected)}"]


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < 300 else text[:300] + "…"
