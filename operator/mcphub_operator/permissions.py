"""What the operator may do: the one table behind config/rbac and its test.

A test runs the operator, records every request, and compares: a verb that is used and
not listed fails, and so does one that is listed and not used.
"""

from dataclasses import dataclass

from mcphub_operator.client.kinds import (
    CHILD_KINDS,
    EVENT,
    HUB,
    LEASE,
    NODE,
    POD,
    ROLE_BINDING,
)

# Server-side apply needs `create` beside `patch` where the object may be new. Where
# OwnerReferencesPermissionEnforcement is on, an object that exists gets an owner (an
# adopted one, or one that lost its owner) only from one who may delete it.
_CHILD_VERBS = ("create", "delete", "get", "list", "patch", "watch")
_WATCH = ("list", "watch")


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """Verbs on one resource of one group."""

    group: str
    resource: str
    verbs: tuple[str, ...]


SERVED: tuple[Permission, ...] = (
    Permission(HUB.group, "mcphubs", ("get", *_WATCH)),
    Permission(HUB.group, "mcphubs/status", ("patch",)),
    # Where OwnerReferencesPermissionEnforcement is on, blockOwnerDeletion needs it.
    Permission(HUB.group, "mcphubs/finalizers", ("update",)),
    *(Permission(kind.group, kind.plural, _CHILD_VERBS) for kind in CHILD_KINDS),
    # An annotation makes a kubelet refresh the pod's files at once.
    Permission(POD.group, "pods", ("list", "patch", "watch")),
    Permission(EVENT.group, "events", ("create",)),
    # Of `names.OBSERVER_ROLE` alone: binding takes this, or every right of the role.
    Permission(ROLE_BINDING.group, "clusterroles", ("bind",)),
)
"""In every namespace that is served: a Role each, or one ClusterRole."""

CLUSTER: tuple[Permission, ...] = (Permission(NODE.group, "nodes", _WATCH),)
"""Addresses for NodePort URLs; without it the status names the Service."""

OWN_NAMESPACE: tuple[Permission, ...] = (
    Permission(LEASE.group, "leases", ("create", "get", "update")),
)
"""In the operator's own namespace."""

DEVELOPMENT: tuple[Permission, ...] = (Permission(POD.group, "pods/proxy", ("get",)),)
"""Only for an operator that runs outside the cluster (`--pod-access proxy`)."""
