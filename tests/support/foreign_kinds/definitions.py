"""Definitions of Gateways, certificates and address pools, taken from their modules.

Those of Google's policies are in no registry: examples with them are checked by hand.
"""

import json
from pathlib import Path

from tests.support.gateway_api.definition import find_definition
from tools.cluster.api import ApiClient, wait_until
from tools.cluster.apiserver import ApiAccess
from tools.cluster.commands import run
from tools.cluster.golang import find_go
from tools.cluster.registries import GO, fetching

SOURCES = Path(__file__).parent
FILES = {
    "github.com/cert-manager/cert-manager": (
        "deploy/crds/cert-manager.io_certificates.yaml",
        "deploy/crds/cert-manager.io_clusterissuers.yaml",
    ),
    "go.universe.tf/metallb": (
        "config/crd/bases/metallb.io_ipaddresspools.yaml",
        "config/crd/bases/metallb.io_l2advertisements.yaml",
    ),
}
SERVED = (
    "/apis/gateway.networking.k8s.io/v1/gateways",
    "/apis/cert-manager.io/v1/certificates",
    "/apis/cert-manager.io/v1/clusterissuers",
    "/apis/metallb.io/v1beta1/ipaddresspools",
    "/apis/metallb.io/v1beta1/l2advertisements",
)
SERVED_SECONDS = 60.0


def find_definitions() -> list[Path]:
    """Return the files; the modules are fetched if they are missing."""
    go = find_go((SOURCES / "go.mod").read_text())
    routes = find_definition()
    found = [routes.with_name(routes.name.replace("httproutes", "gateways"))]
    for module, files in FILES.items():
        with fetching(f"the module {module}", GO):
            told = run([go, "-C", SOURCES, "mod", "download", "-json", module])
        found += [Path(json.loads(told)["Dir"]) / file for file in files]
    return found


def install_foreign_kinds(server: ApiAccess) -> None:
    """Apply the definitions and wait until the API server serves their kinds."""
    for file in find_definitions():
        server.run_kubectl("apply", "--server-side", "-f", str(file))
    client = ApiClient(server.url, server.pki)
    wait_until(
        "Serving the kinds of others",
        lambda: all(client.answers(path) for path in SERVED),
        timeout_seconds=SERVED_SECONDS,
    )
