"""What an apply alone cannot put right, as operations of a JSON patch.

Three kinds. Additions to exact fields (`field_ownership`): an apply leaves what others
added. Ports whose number was changed: the API server merges ports by number and
protocol, so an apply takes a changed number for another owner's port and keeps it, and
the operator's port becomes a second one of the same name, which is refused. And fields
of which only one may be set: an apply of a probe by HTTP keeps another owner's command,
and is refused because a probe has both.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mcphub_operator.field_ownership import (
    SELECTORS,
    ExactField,
    ExactItems,
    Path,
    build_pointer,
    find_exact_fields,
    find_exact_items,
    find_value,
)
from mcphub_operator.resources.manifest import Manifest

DEFAULTS: Mapping[str, object] = {
    "apiVersion": "v1",
    "protocol": "TCP",
    "scheme": "HTTP",
    "successThreshold": 1,
    "procMount": "Default",
    "fsGroupChangePolicy": "OnRootMismatch",
    "runAsNonRoot": True,
    "appArmorProfile": {"type": "RuntimeDefault"},
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What may be added below exact fields: what the API server fills in, and what
admission policies add to every container and the hub's pods have anyway."""
ASSIGNED = ("nodePort",)
"""What the API server chooses where a manifest leaves it open."""
PORTS, SELECTOR = "ports", "selector"
NUMBERS = ("port", "containerPort")
ALTERNATIVES = (
    frozenset({"httpGet", "exec", "tcpSocket", "grpc", "sleep"}),
    frozenset({"value", "valueFrom"}),
    frozenset({"minAvailable", "maxUnavailable"}),
    frozenset(
        {
            *("configMap", "secret", "projected", "emptyDir", "downwardAPI", "csi"),
            *("persistentVolumeClaim", "hostPath", "nfs", "ephemeral", "image"),
        }
    ),
)
"""Fields of which the API server accepts one beside each other."""

Operation = Mapping[str, Any]
"""One operation of a JSON patch."""


def find_repairs(
    manifest: Manifest, live: Mapping[str, Any], *, before_apply: bool = False
) -> tuple[Operation, ...]:
    """Return what gives a child its exact fields back; nothing for most.

    A child that must be applied as well is applied first, except for ports, without
    which the apply would be refused. What seems to be an addition is mostly what the
    manifest had before, or what the API server added to a value that was changed.
    """
    fields = find_exact_fields(manifest["kind"])
    lists = find_exact_items(manifest["kind"])
    if before_apply:
        refused = _find_refused(manifest, live)
        fields = (field for field in fields if field.path in refused)
        lists = (items for items in lists if items.path in refused)
    repairs = [
        operation
        for field in fields
        for operation in _repair(field, manifest, live, before_apply=before_apply)
    ]
    for items in lists:
        repairs += _repair_items(items, manifest, live)
    return tuple(repairs)


def _find_refused(manifest: Manifest, live: Mapping[str, Any]) -> set[Path]:
    """Return the fields for which an apply would be refused."""
    fields = tuple(find_exact_fields(manifest["kind"]))
    lists = find_exact_items(manifest["kind"])
    paths = (*(field.path for field in fields), *(items.path for items in lists))
    refused = {
        path
        for path in paths
        if _has_alternative(find_value(live, path), find_value(manifest, path))
    }
    ports = [field for field in fields if field.path[-1] == PORTS]
    if not all(_has_keys(manifest, live, field) for field in ports):
        # Together: ports of other pods lead nowhere, and connections are refused.
        both = (f.path for f in fields if f.path[-1] in (SELECTOR, PORTS))
        refused.update(both)
    return refused


def _has_alternative(live: Any, wish: Any) -> bool:
    """Tell whether a field is set of which another one is wished for."""
    if isinstance(live, dict) and isinstance(wish, dict):
        keys, more = wish.keys(), live.keys() - wish.keys()
        return any(keys & each and more & each for each in ALTERNATIVES) or any(
            _has_alternative(live[key], wish[key]) for key in live.keys() & keys
        )
    if isinstance(live, list) and isinstance(wish, list | tuple):
        there = _by_name(live)
        # An apply replaces lists whose items have no names.
        wished = (p for p in wish if isinstance(p, dict) and "name" in p)
        return any(_has_alternative(there.get(p["name"]), p) for p in wished)
    return False


def _repair_items(
    items: ExactItems, manifest: Manifest, live: Mapping[str, Any]
) -> Iterator[Operation]:
    """Put the hub's items of a list back, and leave the others as they are."""
    found, wish = find_value(live, items.path), find_value(manifest, items.path)
    wished = {part.get(items.key): part for part in wish or ()}
    own = [part for part in found or () if items.is_own(part, wish)]
    if all(_is_as_wished(part, wished.get(part.get(items.key))) for part in own):
        return
    kept = [
        wished.get(part.get(items.key), part)
        for part in found
        if part.get(items.key) in wished or part not in own
    ]
    pointer = build_pointer(live, items.path)
    yield {"op": "replace", "path": pointer, "value": kept}


def _is_as_wished(part: Any, wish: Any) -> bool:
    if wish is None or _has_alternative(part, wish):
        return False
    return not has_additions(part, wish)


def _repair(
    field: ExactField,
    manifest: Manifest,
    live: Mapping[str, Any],
    *,
    before_apply: bool,
) -> Iterator[Operation]:
    found, wish = find_value(live, field.path), find_value(manifest, field.path)
    if field.while_unset and wish:
        return
    if field.path[-1] == PORTS:
        is_right = not found or _has_ports(found, wish)
        value: Any = _keep_assigned(wish, found or ())
    elif before_apply:
        is_right, value = found == wish, wish
    else:
        is_right = found in field.defaults or not has_additions(found, wish)
        value = wish
    if is_right:
        return
    pointer = build_pointer(live, field.path)
    if value:
        yield {"op": "replace", "path": pointer, "value": value}
    else:
        yield {"op": "remove", "path": pointer}


def _has_keys(manifest: Manifest, live: Mapping[str, Any], field: ExactField) -> bool:
    """Tell whether an apply finds the ports that it changes, and no other ones."""
    found, wish = find_value(live, field.path), find_value(manifest, field.path)
    return not found or sorted(map(_key, found)) == sorted(map(_key, wish))


def _key(port: Mapping[str, Any]) -> tuple[int, str]:
    number = next(port[name] for name in NUMBERS if name in port)
    return number, str(port.get("protocol", DEFAULTS["protocol"]))


def has_additions(live: Any, wish: Any) -> bool:
    """Tell whether something is there that was neither wished for nor a default."""
    # Not zero, which is the user root, and not the empty value of a label.
    if live is None or live is False or live in ({}, []):
        return False
    if isinstance(live, dict) and isinstance(wish, dict):
        return any(
            has_additions(part, wish[key]) if key in wish else _is_addition(key, part)
            for key, part in live.items()
        )
    if isinstance(live, list) and isinstance(wish, list | tuple):
        # Another length is put right by an apply: these lists do not merge.
        return any(map(has_additions, live, wish))
    return wish is None


def _is_addition(key: str, part: Any) -> bool:
    """Tell whether a field that was not wished for means something."""
    if part is False:
        return DEFAULTS.get(key) is True
    return key in SELECTORS or (part != DEFAULTS.get(key) and has_additions(part, None))


def _has_ports(live: Any, wish: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether exactly these ports are there, in any order."""
    there = _by_name(live)
    return (
        len(live) == len(wish)
        and all(
            there.get(port.get("name"), {}).get(key, DEFAULTS.get(key)) == value
            for port in wish
            for key, value in port.items()
            if key not in ASSIGNED  # an apply changes it
        )
        and not any(
            has_additions({k: v for k, v in port.items() if k not in ASSIGNED}, wished)
            for wished in wish
            for port in [there[wished.get("name")]]
        )
    )


def _keep_assigned(
    wish: Sequence[Mapping[str, Any]], live: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    there = _by_name(live)
    kept = (
        {key: there.get(port.get("name"), {}).get(key) for key in ASSIGNED}
        for port in wish
    )
    return [
        {k: v for k, v in chosen.items() if v is not None} | dict(port)
        for chosen, port in zip(kept, wish, strict=True)
    ]


def _by_name(ports: Any) -> dict[Any, Mapping[str, Any]]:
    found = ports if isinstance(ports, list) else []
    return {port.get("name"): port for port in found if isinstance(port, dict)}
