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
    "auth",
    "limits",
    "logging",
    "publicURL",
    "allowedHosts",
    "trustedProxies",
)
LIVE_SECTIONS = ("tools", "access")
_REFERENCE = "SecretRef"
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""libyaml's takes a tenth of the time; not every build of PyYAML has it."""


def build_config(hub: Hub) -> dict[str, Any]:
    """Return the document that the server reads, as plain data."""
    spec = hub.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    config = _without_references({section: spec[section] for section in SECTIONS})
    assert isinstance(config, dict)  # noqa: S101 - a mapping goes in
    return config


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
    spec = hub.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    live = {section: spec[section] for section in LIVE_SECTIONS if section in spec}
    return str(yaml.dump(live, Dumper=_DUMPER, sort_keys=True, allow_unicode=True))


def build_live_digest(hub: Hub) -> str:
    """Return by what a server names this live configuration."""
    return hashlib.sha256(build_live_text(hub).encode()).hexdigest()[:16]


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
