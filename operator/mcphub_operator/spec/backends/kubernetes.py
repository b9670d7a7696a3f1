"""The cluster's own state: workloads, pods, events, logs, usage."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from mcphub_operator.spec.backends.kind import BackendKind, Endpoint, SecretFile
from mcphub_operator.spec.strings import NamespaceName

API_SERVER = "kubernetes.default.svc"
API_PORTS = (443, 6443)
"""Of the Service, and of the API server itself: policies see either."""


class KubernetesBackend(BackendKind):
    """The state of workloads in this cluster, as far as RBAC lets the hub see it.

    The hub's ServiceAccount needs a RoleBinding to the ClusterRole mcphub-observer in
    each namespace. The operator makes it in the hub's own; in another, its owner does.
    """

    TOOLS = (
        *("list_workloads", "list_pods", "list_events"),
        *("resource_usage", "describe", "pod_logs", "list_nodes"),
    )
    NEEDS_API_TOKEN = True

    namespaces: Annotated[tuple[NamespaceName, ...], Field(max_length=20)] = ()
    """Namespaces that the tools may read. Empty: the hub's own."""

    logs: bool = False
    """Whether there is a tool that reads the logs of pods. Logs hold whatever programs
    write into them."""

    nodes: bool = False
    """Adds a tool that lists nodes. An administrator must bind mcphub-observer-nodes to
    the hub's ServiceAccount."""

    def reads_objects_of(self, namespace: str) -> bool:
        """Tell whether the tools may read it, as the spec of a hub in it says."""
        return not self.namespaces or namespace in self.namespaces

    def endpoints(self) -> Iterator[Endpoint]:
        """Yield the API server's ports."""
        for port in API_PORTS:
            yield Endpoint(API_SERVER, port)

    def secret_files(self) -> Iterator[SecretFile]:
        """Yield nothing: the kubelet issues the token."""
        yield from ()
