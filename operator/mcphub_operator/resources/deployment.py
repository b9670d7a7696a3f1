"""The Deployment: a pod template, and a number of replicas or none.

Without autoscaling the hub's `replicas` is applied. With it the number belongs to the
autoscaler and is left out, for an owner of a field may not be rivalled: see
`desired` for how it changes hands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcphub_operator import names
from mcphub_operator.resources.manifest import (
    Manifest,
    build_hash,
    build_manifest,
    drop_empty,
)
from mcphub_operator.spec.hub import Hub

PROGRESS_DEADLINE_SECONDS = 180
KEPT_REVISIONS = 3

_TEMPLATE_SECTIONS = (
    "image",
    "imagePullPolicy",
    "imagePullSecrets",
    "backends",
    "transports",
    "auth",
    "limits",
    "logging",
    "publicURL",
    "allowedHosts",
    "trustedProxies",
    "resources",
    "pod",
)
_LATER_SECTIONS = ("observability", "webPage")
"""In the hash only where they are set: that of hubs of earlier releases stays."""

EARLIER_DEFAULTS: Mapping[tuple[str, str], tuple[object, ...]] = {
    ("limits", "maxResultBytes"): (1_048_576,),
}
"""Defaults of earlier releases, by section and field; add to them with each change.

The API server has stored the default of its time in every hub. Taken for a user's
choice, it would let a new release roll all hubs at once.
"""


@dataclass(frozen=True, slots=True)
class Rollout:
    """What decides over a template beside the template itself."""

    template: dict[str, Any]
    inputs: str
    upgrade: str = ""
    replicas: int | None = None

    @property
    def template_hash(self) -> str:
        """Return the hash by which a later operator sees that it would roll pods."""
        return build_hash(self.template)


def build_inputs_hash(hub: Hub, secrets_hash: str) -> str:
    """Hash what users control about the template.

    A template that differs while this stays the same differs because of the operator:
    that is an upgrade, and goes hub by hub.
    """
    # Without defaults: a field that a later version adds must not look like a change.
    spec = hub.spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for (section, field), values in EARLIER_DEFAULTS.items():
        part = spec.get(section)
        if part and part.get(field) in values:
            spec[section] = {k: v for k, v in part.items() if k != field} or None
    chosen = {section: spec.get(section) for section in _TEMPLATE_SECTIONS}
    chosen |= {
        section: spec[section] for section in _LATER_SECTIONS if spec.get(section)
    }
    if hub.hostnames:
        chosen["outside"] = [hub.public_url, *hub.hostnames]
    if hub.spec.tls is not None:
        chosen["tls"] = hub.spec.tls.secret_ref.name
    restart = hub.annotations.get(names.ANNOTATION_RESTART, "")
    return build_hash([chosen, restart, secrets_hash])


def build_deployment(hub: Hub, rollout: Rollout, version: str) -> Manifest:
    """Return the Deployment of the hub."""
    annotations = drop_empty(
        {
            names.ANNOTATION_INPUTS: rollout.inputs,
            names.ANNOTATION_TEMPLATE: rollout.template_hash,
            names.ANNOTATION_UPGRADE: rollout.upgrade,
        }
    )
    manifest = build_manifest(
        "apps/v1", "Deployment", hub, hub.name, version, annotations
    )
    spec = {
        "selector": {"matchLabels": names.selector_labels(hub.name)},
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        },
        "progressDeadlineSeconds": PROGRESS_DEADLINE_SECONDS,
        "revisionHistoryLimit": KEPT_REVISIONS,
        "template": rollout.template,
    }
    if rollout.replicas is not None:
        spec["replicas"] = rollout.replicas
    return {**manifest, "spec": spec}
