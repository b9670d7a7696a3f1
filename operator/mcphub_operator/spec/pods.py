"""The settings of a hub's pods; the operator determines everything else."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from mcphub_operator import names
from mcphub_operator.spec.model import Model, rule, rules
from mcphub_operator.spec.scaling import PRESERVE
from mcphub_operator.spec.strings import (
    AnnotationValue,
    LabelValue,
    RequiredName,
    Text,
)

_OWN_LABELS = (
    names.LABEL_NAME,
    names.LABEL_INSTANCE,
    names.LABEL_MANAGED_BY,
    names.LABEL_VERSION,
)
Quantity = Annotated[
    int | str,
    Field(
        json_schema_extra=rules(
            rule(
                "isQuantity(string(self))"
                " && quantity(string(self)).compareTo(quantity('0')) >= 0",
                "must be a quantity such as 250m, 1 or 512Mi",
            ),
            maxLength=32,
        )
    ),
]


def _request_within_limit(resource: str) -> dict[str, str]:
    given = " && ".join(
        f"has(self.{part}) && '{resource}' in self.{part}"
        for part in ("requests", "limits")
    )
    request, limit = (
        f"string(self.{part}['{resource}'])" for part in ("requests", "limits")
    )
    return rule(
        f"!({given}) || !isQuantity({request}) || !isQuantity({limit})"
        f" || quantity({request}).compareTo(quantity({limit})) <= 0",
        f"requests.{resource} must not be above limits.{resource} (requests default"
        " to cpu 100m and memory 256Mi, limits to cpu 1 and memory 512Mi)",
    )


class Resources(Model):
    """Resource requests and limits of each replica."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            _request_within_limit("cpu"), _request_within_limit("memory")
        )
    )

    requests: Annotated[dict[str, Quantity], Field(max_length=16)] = Field(
        {"cpu": "100m", "memory": "256Mi"}
    )
    """Resources that the scheduler reserves for a replica. If neither requests nor
    limits name ephemeral-storage, a replica requests 128Mi of it and may use 1Gi."""

    limits: Annotated[dict[str, Quantity], Field(max_length=16)] = Field(
        {"cpu": "1", "memory": "512Mi"}
    )
    """Maximum resources of a replica."""


class PullSecret(Model):
    """A Secret with credentials for an image registry."""

    name: RequiredName
    """Name of the Secret."""


class PullPolicy(StrEnum):
    """When a node pulls the image."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


class Toleration(Model):
    """A toleration, as in a pod."""

    key: Text | None = None
    """Key of the taint. If unset with operator Exists: all taints."""

    operator: Annotated[str, Field(max_length=16)] | None = None
    """Exists or Equal (the default)."""

    value: Text | None = None
    """Value of the taint, for Equal."""

    effect: Annotated[str, Field(max_length=16)] | None = None
    """NoSchedule, PreferNoSchedule or NoExecute. If unset: all effects."""

    toleration_seconds: int | None = None
    """How long the pods tolerate NoExecute."""


_Passed = Annotated[dict[str, Any], Field(json_schema_extra=PRESERVE)]


class PodSpec(Model):
    """Placement and metadata of the hub's pods."""

    node_selector: Annotated[dict[str, LabelValue], Field(max_length=32)] = Field({})
    """Labels that a node must have."""

    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=32)] = ()
    """Taints that the pods tolerate."""

    affinity: _Passed = Field({})
    """Affinity, as in a pod."""

    topology_spread_constraints: Annotated[
        tuple[_Passed, ...], Field(max_length=8)
    ] = ()
    """Spread over zones or nodes, as in a pod. Empty: a soft spread over nodes."""

    priority_class_name: Text = ""
    """PriorityClass of the pods."""

    annotations: Annotated[
        dict[str, AnnotationValue],
        Field(
            max_length=64,
            json_schema_extra=rules(
                rule(
                    f"self.all(key, !key.startsWith('{names.GROUP}/'))",
                    f"annotations under {names.GROUP}/ are reserved for the operator;"
                    " remove them",
                )
            ),
        ),
    ] = Field({})
    """Additional annotations of the pods."""

    labels: Annotated[
        dict[str, LabelValue],
        Field(
            max_length=64,
            json_schema_extra=rules(
                *(
                    rule(
                        f"!('{label}' in self)",
                        f"{label} is reserved for the operator; remove it",
                    )
                    for label in _OWN_LABELS
                )
            ),
        ),
    ] = Field({})
    """Additional labels of the pods."""
