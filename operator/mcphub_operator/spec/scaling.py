"""How many replicas a hub runs, and how many a disruption may remove at once."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from mcphub_operator.spec.model import Model, rule, rules

PRESERVE = {"x-kubernetes-preserve-unknown-fields": True}

Percentage = Annotated[int, Field(ge=1, le=1000)]


class Autoscaling(Model):
    """A HorizontalPodAutoscaler for the hub. If unset, `replicas` applies."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "self.minReplicas <= self.maxReplicas",
                "minReplicas must not be above maxReplicas (they default to 2 and 10)",
                field="minReplicas",
            )
        )
    )

    min_replicas: Annotated[int, Field(ge=1, le=100)] = 2
    """Minimum number of replicas."""

    max_replicas: Annotated[int, Field(ge=1, le=100)] = 10
    """Maximum number of replicas."""

    target_cpu_utilization_percentage: Annotated[
        Percentage, Field(alias="targetCPUUtilizationPercentage")
    ] = 70
    """Target CPU utilization, in percent of resources.requests.cpu."""

    target_memory_utilization_percentage: Annotated[
        Percentage | None, Field(json_schema_extra={"nullable": True})
    ] = None
    """Target memory utilization, in percent of resources.requests.memory. If unset,
    memory does not scale the hub."""

    behavior: Annotated[dict[str, Any], Field(json_schema_extra=PRESERVE)] = Field({})
    """The autoscaler's scaleUp and scaleDown rules, as in autoscaling/v2."""


class DisruptionBudget(Model):
    """A PodDisruptionBudget for the hub."""

    enabled: bool = True
    """false: the hub has no PodDisruptionBudget."""

    max_unavailable: Annotated[
        int | str,
        Field(
            json_schema_extra=rules(
                rule(
                    "type(self) == int ? self >= 1 && self <= 100 :"
                    " self.matches('^([1-9][0-9]?|100)%$')",
                    "must be a count of 1 to 100 or a percentage such as 25%;"
                    " 0 would block every node drain",
                ),
                maxLength=4,
            )
        ),
    ] = 1
    """Replicas that a drain may evict at once, as a count or a percentage."""
