"""The children of a hub as a whole: what `desired` decides and `diff` compares."""

from dataclasses import dataclass

from mcphub_operator import names
from mcphub_operator.resources.disruption_budget import find_budget
from mcphub_operator.resources.manifest import ChildId, Manifest
from mcphub_operator.resources.role_binding import reads_own_namespace
from mcphub_operator.resources.secrets import makes_token
from mcphub_operator.spec.hub import Hub

PREREQUISITES = frozenset({"ConfigMap", "Secret", "ServiceAccount"})
"""What pods cannot do without: no Deployment is written for them until it is there."""


@dataclass(frozen=True, slots=True)
class Desired:
    """The children as they should be."""

    children: tuple[Manifest, ...]
    kept: frozenset[ChildId] = frozenset()
    """Children that exist, should exist, and are not to be touched now."""
    scale: int | None = None
    """Replicas of a Deployment that is kept otherwise."""
    handover: int | None = None
    """Replicas to hold under the handover manager before the operator lets go."""


def wanted_children(hub: Hub) -> frozenset[ChildId]:
    """Return the identities of all children that the hub's spec asks for."""
    optional = _optional_children(hub)
    return frozenset(
        {
            ChildId("ConfigMap", hub.name),
            ChildId("Secret", names.keys_secret(hub.name)),
            ChildId("ServiceAccount", hub.name),
            ChildId("Service", hub.name),
            ChildId("Service", names.pods_service(hub.name)),
            ChildId("Deployment", hub.name),
            *(child for child, wanted in optional.items() if wanted),
        }
    )


def unwanted_children(hub: Hub) -> frozenset[ChildId]:
    """Return the children that another spec of the hub would have.

    Nothing else is ever deleted, whatever labels and owner it carries: a user's copy of
    a child carries them too.
    """
    optional = _optional_children(hub)
    return frozenset(child for child, wanted in optional.items() if not wanted)


def _optional_children(hub: Hub) -> dict[ChildId, bool]:
    spec = hub.spec
    return {
        ChildId("Secret", names.auth_secret(hub.name)): makes_token(hub),
        ChildId("HorizontalPodAutoscaler", hub.name): spec.autoscaling is not None,
        ChildId("PodDisruptionBudget", hub.name): find_budget(hub) is not None,
        ChildId("NetworkPolicy", hub.name): spec.network_policy.enabled,
        ChildId("RoleBinding", hub.name): reads_own_namespace(hub),
        ChildId("Ingress", hub.name): spec.ingress is not None,
        ChildId("HTTPRoute", hub.name): spec.route is not None,
    }
