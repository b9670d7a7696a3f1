"""The McpHub definition in an API server, installed for tests."""

from tools.cluster.api import ApiClient, wait_until
from tools.cluster.apiserver import ApiAccess
from tools.project import CRD

HUBS = "/apis/mcp.bigtorig.com/v1alpha1/namespaces/{namespace}/mcphubs"
SERVED_SECONDS = 60.0


def install_definition(server: ApiAccess) -> None:
    """Apply the definition and wait until the API server serves hubs."""
    server.run_kubectl("apply", "--server-side", "-f", str(CRD))
    client = ApiClient(server.url, server.pki)
    path = HUBS.format(namespace="default")
    # A definition that is Established may still answer 404 for a moment.
    wait_until(
        "Serving McpHubs",
        lambda: client.answers(path),
        timeout_seconds=SERVED_SECONDS,
    )
