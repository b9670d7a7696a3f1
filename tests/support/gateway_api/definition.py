"""The definition of HTTPRoutes, taken from the Gateway API's Go module, checked by it.

Only of HTTPRoutes: the operator reads and writes no other kind of the Gateway API.
"""

import json
from pathlib import Path

from mcphub_operator.client.kinds import HTTP_ROUTE
from tools.cluster.api import ApiClient, wait_until
from tools.cluster.apiserver import ApiAccess
from tools.cluster.commands import run
from tools.cluster.golang import find_go
from tools.cluster.registries import GO, fetching

SOURCES = Path(__file__).parent
MODULE = "sigs.k8s.io/gateway-api"
FILE = "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"
NAME = f"{HTTP_ROUTE.plural}.{HTTP_ROUTE.group}"
SERVED_SECONDS = 60.0


def find_definition() -> Path:
    """Return the file of the definition; the module is fetched if it is missing."""
    go = find_go((SOURCES / "go.mod").read_text())
    with fetching("the module of the Gateway API", GO):
        told = run([go, "-C", SOURCES, "mod", "download", "-json", MODULE])
    return Path(json.loads(told)["Dir"]) / FILE


def install_routes(server: ApiAccess) -> None:
    """Apply the definition and wait until the API server serves HTTPRoutes."""
    server.run_kubectl("apply", "--server-side", "-f", str(find_definition()))
    client = ApiClient(server.url, server.pki)
    path = HTTP_ROUTE.path("default")
    wait_until(
        "Serving HTTPRoutes",
        lambda: client.answers(path),
        timeout_seconds=SERVED_SECONDS,
    )


def remove_routes(server: ApiAccess) -> None:
    """Delete the definition, and every HTTPRoute with it."""
    server.run_kubectl("delete", "crd", NAME)
