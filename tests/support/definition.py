"""The definitions that the operator works with, installed in an API server."""

from tests.support.gateway_api.definition import install_routes
from tools.cluster.api import ApiClient, wait_until
from tools.cluster.apiserver import ApiAccess
from tools.project import CRD

HUBS = "/apis/mcp.bigtorig.com/v1alpha1/namespaces/{namespace}/mcphubs"
SERVED_SECONDS = 60.0


def install_definitions(server: ApiAccess) -> None:
    """Install the definitions of McpHubs and HTTPRoutes."""
    install_definition(server)
    install_routes(server)


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
