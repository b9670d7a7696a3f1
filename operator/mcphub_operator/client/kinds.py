"""The Kubernetes kinds that the operator works with, and their paths."""

from dataclasses import dataclass

from mcphub_operator import names


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: where its objects live in the API."""

    name: str
    group_version: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """Return the API group; empty for the core one."""
        return self.group_version.partition("/")[0] if "/" in self.group_version else ""

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Return the path of an object, or of a collection."""
        root = "apis" if self.group else "api"
        where = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        collection = f"/{root}/{self.group_version}{where}/{self.plural}"
        return f"{collection}/{name}" if name else collection


HUB = Kind(names.KIND, names.API_VERSION, names.PLURAL)
CONFIG_MAP = Kind("ConfigMap", "v1", "configmaps")
SECRET = Kind("Secret", "v1", "secrets")
SERVICE_ACCOUNT = Kind("ServiceAccount", "v1", "serviceaccounts")
SERVICE = Kind("Service", "v1", "services")
DEPLOYMENT = Kind("Deployment", "apps/v1", "deployments")
AUTOSCALER = Kind(
    "HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers"
)
DISRUPTION_BUDGET = Kind("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets")
NETWORK_POLICY = Kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies")
ROLE_BINDING = Kind("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings")
INGRESS = Kind("Ingress", "networking.k8s.io/v1", "ingresses")
HTTP_ROUTE = Kind("HTTPRoute", "gateway.networking.k8s.io/v1", "httproutes")
POD = Kind("Pod", "v1", "pods")
NODE = Kind("Node", "v1", "nodes", namespaced=False)
LEASE = Kind("Lease", "coordination.k8s.io/v1", "leases")
EVENT = Kind("Event", "events.k8s.io/v1", "events")

CHILD_KINDS = (
    CONFIG_MAP,
    SECRET,
    SERVICE_ACCOUNT,
    SERVICE,
    DEPLOYMENT,
    AUTOSCALER,
    DISRUPTION_BUDGET,
    NETWORK_POLICY,
    ROLE_BINDING,
    INGRESS,
    HTTP_ROUTE,
)
ROUTE_KINDS = frozenset({INGRESS, HTTP_ROUTE})
"""What the setting `routes` turns off."""
BY_NAME = {kind.name: kind for kind in CHILD_KINDS}

DISPENSABLE = frozenset({NODE, ROLE_BINDING, *ROUTE_KINDS})
"""Kinds that the operator works without, where it may not list them."""
