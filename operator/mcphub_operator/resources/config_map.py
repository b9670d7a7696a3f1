"""The server's configuration: the hub's own field names, without Secret references.

Passwords and tokens reach the pods as files (`resources.pod_volumes`); this object may
be read by anyone who may read ConfigMaps.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import yaml

from mcphub_operator import names
from mcphub_operator.resources.manifest import Manifest, build_manifest
from mcphub_operator.spec.hub import Hub

SECTIONS = (
    "backends",
    "transports",
    "webPage",
    "auth",
    "limits",
    "logging",
    "observability",
    "publicURL",
    "allowedHosts",
    "trustedProxies",
)
LIVE_SECTIONS = frozenset({"tools", "prompts", "access"})
OMITTED_DEFAULTS = frozenset(
    {
        *("allowedFunctions", "builtInTools", "diagnosis", "observability"),
        *("requestedScopes", "tls", "webPage", "webSocket"),
    }
)
"""Fields that servers of version 0.1.0 refuse to read. With its default, such a field
is not written, so that a hub with an older image goes on until it uses the field."""

_REFERENCE = "SecretRef"
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""libyaml's takes a tenth of the time; not every build of PyYAML has it."""


def build_config(
    hub: Hub, omitted: frozenset[str] = OMITTED_DEFAULTS
) -> dict[str, Any]:
    """Return the document that the server reads, as plain data.

    Args:
        hub: The hub.
        omitted: Names of fields that are left out where they have their default.
    """
    spec = hub.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    given = hub.spec.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude_defaults=True
    )
    config = {section: spec[section] for section in SECTIONS}
    written = _without_references(_without_defaults(config, given, omitted))
    assert isinstance(written, dict)  # noqa: S101 - a mapping goes in
    hosts = dict.fromkeys((*hub.spec.allowed_hosts, *hub.hostnames))
    has_tls = hub.spec.tls is not None
    tls = {"tls": {"enabled": has_tls}} if has_tls or "tls" not in omitted else {}
    outside = {"publicURL": hub.public_url, "allowedHosts": [*hosts]}
    return written | tls | outside


def build_config_map(hub: Hub, version: str, installation: str = "") -> Manifest:
    """Return the ConfigMap that pods mount; it names who keeps the hub."""
    marks = {names.ANNOTATION_OPERATOR: installation} if installation else {}
    manifest = build_manifest("v1", "ConfigMap", hub, hub.name, version, marks)
    text = yaml.dump(build_config(hub), Dumper=_DUMPER, sort_keys=True)
    data = {names.CONFIG_KEY: text, names.LIVE_KEY: build_live_text(hub)}
    return {**manifest, "data": data}


def build_live_text(hub: Hub) -> str:
    """Return the document that the server reads while it runs.

    It is in no hash of the pod template: a change of tools or access restarts no pod.
    """
    live = hub.spec.model_dump(
        mode="json", by_alias=True, exclude_none=True, include=set(LIVE_SECTIONS)
    )
    if not live["prompts"]:
        del live["prompts"]  # servers of 0.1.0 do not know them
    return str(yaml.dump(live, Dumper=_DUMPER, sort_keys=True, allow_unicode=True))


def build_live_digest(hub: Hub) -> str:
    """Return by what a server names this live configuration."""
    return digest_live_text(build_live_text(hub))


def digest_live_text(text: str) -> str:
    """Return by what a server names the content of its live configuration's file."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _without_defaults(value: object, given: object, omitted: frozenset[str]) -> object:
    """Leave out the `omitted` fields that are not among the `given` ones."""
    if isinstance(value, Mapping):
        others = given if isinstance(given, Mapping) else {}
        return {
            key: _without_defaults(part, others.get(key), omitted)
            for key, part in value.items()
            if key not in omitted or key in others
        }
    if isinstance(value, list) and isinstance(given, list):
        pairs = zip(value, given, strict=True)
        return [_without_defaults(*pair, omitted) for pair in pairs]
    return value


def _without_references(value: object) -> object:
    if isinstance(value, Mapping):
        return {
            key: _without_references(part)
            for key, part in value.items()
            if not key.endswith(_REFERENCE)
        }
    if isinstance(value, list):
        return [_without_references(part) for part in value]
    return value
