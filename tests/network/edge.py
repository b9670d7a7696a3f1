"""A small controller for HTTPRoutes and Ingresses, with nginx behind it.

It stands in for implementations that no package registry has. Like them, it reads the
objects that the operator writes, leads each host name to the ready pods of its Service,
and reports to the status of the object. It runs beside the cluster, whose pods this
machine reaches. nginx has the settings of examples/behind-proxy.
"""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.network.nginx import Site, build_nginx
from tests.support.installation import Installation
from tests.support.system_packages import ensure_packages

CONTROLLER = "mcphub.test/edge"
ADDRESS = "127.0.0.1"
ROUTES = "httproutes.gateway.networking.k8s.io"
STEP_SECONDS = 0.2


@dataclass
class Edge:
    """The controller of one namespace."""

    place: Installation
    folder: Path
    port: int
    reloads: int = 0
    _written: str = ""
    _ended: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reconcile(self) -> None:
        """Write the configuration that the objects ask for, and report."""
        routes, ingresses = self.place.items(ROUTES), self.place.items("ingresses")
        text = build_nginx(self.folder, self.port, self._find_sites(routes, ingresses))
        if text != self._written:
            (self.folder / "nginx.conf").write_text(text)
            self.reload()
            self._written = text
        for route in routes:
            self._report(ROUTES, route, build_route_status(route))
        for ingress in ingresses:
            status = {"loadBalancer": {"ingress": [{"ip": ADDRESS}]}}
            self._report("ingresses", ingress, status)

    def reload(self) -> None:
        """Replace nginx's workers; old ones finish what they have begun."""
        with self._lock:
            if self._written:
                self._nginx("-s", "reload")
            else:
                self._nginx()
            self.reloads += 1

    def _nginx(self, *arguments: str) -> None:
        config = str(self.folder / "nginx.conf")
        subprocess.run(["nginx", "-c", config, *arguments], check=True)

    def _find_sites(
        self, routes: list[dict[str, Any]], ingresses: list[dict[str, Any]]
    ) -> list[Site]:
        sites = []
        for route in routes:
            (rule,) = route["spec"]["rules"]
            (backend,) = rule["backendRefs"]
            addresses = self._find_addresses(backend["name"])
            sites += [Site(host, addresses) for host in route["spec"]["hostnames"]]
        for ingress in ingresses:
            (rule,) = ingress["spec"]["rules"]
            (path,) = rule["http"]["paths"]
            addresses = self._find_addresses(path["backend"]["service"]["name"])
            sites.append(Site(rule["host"], addresses))
        return sorted(sites)

    def _find_addresses(self, service: str) -> tuple[str, ...]:
        """The ready pods of a Service, as its EndpointSlices have them."""
        label = f"kubernetes.io/service-name={service}"
        found = [
            f"{endpoint['addresses'][0]}:{part['ports'][0]['port']}"
            for part in self.place.items("endpointslices", "-l", label)
            for endpoint in part["endpoints"] or ()
            if part["addressType"] == "IPv4" and endpoint["conditions"].get("ready")
        ]
        return tuple(sorted(found))

    def _report(self, kind: str, item: dict[str, Any], status: dict[str, Any]) -> None:
        if item.get("status") != status:
            patch = ("--subresource=status", "--type=merge", "-p")
            name = item["metadata"]["name"]
            self.place.kubectl(
                "patch", kind, name, *patch, json.dumps({"status": status})
            )

    def _run(self) -> None:
        while not self._ended.wait(STEP_SECONDS):
            self.reconcile()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Reconcile until the block ends."""
        self.reconcile()
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()
            self._nginx("-s", "stop")


def build_route_status(route: dict[str, Any]) -> dict[str, Any]:
    """Accept every parent, as a Gateway's controller reports it."""
    common = {
        "status": "True",
        "observedGeneration": route["metadata"]["generation"],
        "lastTransitionTime": route["metadata"]["creationTimestamp"],
        "message": "",
    }
    conditions = [
        {"type": "Accepted", "reason": "Accepted", **common},
        {"type": "ResolvedRefs", "reason": "ResolvedRefs", **common},
    ]
    return {
        "parents": [
            {"parentRef": ref, "controllerName": CONTROLLER, "conditions": conditions}
            for ref in route["spec"]["parentRefs"]
        ]
    }


@contextmanager
def running_edge(place: Installation, folder: Path, port: int) -> Iterator[Edge]:
    """Run the controller for the objects of a namespace."""
    ensure_packages(nginx="nginx-light")
    edge = Edge(place, folder, port)
    with edge.running():
        yield edge
