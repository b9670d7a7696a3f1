"""Ports whose number was changed, which an apply alone cannot repair.

The API server merges ports by number and protocol: an apply takes a changed number for
another owner's port and keeps it, and the operator's port becomes a second one of the
same name, which is refused. So the number is restored first, by a patch, which also
keeps the node port.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mcphub_operator.resources.manifest import Manifest

SERVICE_KEYS = ("port", "protocol")
CONTAINER_KEYS = ("containerPort", "protocol")
CONTAINERS = "/spec/template/spec/containers"
DEFAULTS = {"protocol": "TCP"}

Operation = Mapping[str, Any]
"""One operation of a JSON patch."""


def find_port_repairs(
    manifest: Manifest, live: Mapping[str, Any]
) -> tuple[Operation, ...]:
    """Return what gives ports their numbers back; nothing for most objects."""
    match manifest["kind"]:
        case "Service":
            wish, found = manifest["spec"]["ports"], live["spec"].get("ports") or ()
            return tuple(_repair_ports(wish, found, SERVICE_KEYS, "/spec/ports"))
        case "Deployment":
            return tuple(_restore_containers(manifest, live))
        case _:
            return ()


def _restore_containers(
    manifest: Manifest, live: Mapping[str, Any]
) -> Iterator[Operation]:
    wished = {c["name"]: c for c in _containers(manifest)}
    for index, found in enumerate(_containers(live)):
        wish = wished.get(found["name"], {}).get("ports") or ()
        path = f"{CONTAINERS}/{index}/ports"
        yield from _repair_ports(wish, found.get("ports") or (), CONTAINER_KEYS, path)


def _containers(item: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = item["spec"]["template"]["spec"]["containers"]
    return found


def _repair_ports(
    wish: Sequence[Mapping[str, Any]],
    live: Sequence[Mapping[str, Any]],
    keys: tuple[str, ...],
    path: str,
) -> Iterator[Operation]:
    wished = {port["name"]: port for port in wish}
    for index, found in enumerate(live):
        port = wished.get(found.get("name", ""), {})
        for key in keys:
            value = port.get(key, DEFAULTS.get(key))
            if port and found.get(key, DEFAULTS.get(key)) != value:
                name = {"path": f"{path}/{index}/name", "value": found["name"]}
                yield {"op": "test", **name}
                yield {"op": "replace", "path": f"{path}/{index}/{key}", "value": value}
