"""The right to read the hub's own namespace, for a backend that reads the cluster.

Only in the hub's own: whoever may make a hub there may read its objects anyway. The
RoleBinding in another namespace is the consent of that namespace's owner.
"""

from mcphub_operator import names
from mcphub_operator.resources.manifest import Manifest, build_manifest
from mcphub_operator.spec.hub import Hub

RBAC = "rbac.authorization.k8s.io"


def reads_own_namespace(hub: Hub) -> bool:
    """Tell whether an enabled backend reads objects of the hub's own namespace."""
    return any(
        backend.enabled and backend.options.reads_objects_of(hub.namespace)
        for backend in hub.spec.backends
    )


def build_role_binding(hub: Hub, version: str) -> Manifest:
    """Return the RoleBinding that lets the hub's pods read their own namespace."""
    manifest = build_manifest(f"{RBAC}/v1", "RoleBinding", hub, hub.name, version)
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": names.OBSERVER_ROLE}
    account = {"kind": "ServiceAccount", "name": hub.name, "namespace": hub.namespace}
    return {**manifest, "roleRef": role, "subjects": [account]}
