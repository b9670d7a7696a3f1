"""The API server with the McpHub CRD in it, for tests of what it lets through.

No operator runs: what is asked here is what the API server alone decides.
"""

import http
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tools.cluster.api import APPLY_PATCH, MERGE_PATCH, ApiClient
from tools.cluster.apiserver import ApiServer, running_api_server
from tools.project import CRD

JSON = dict[str, Any]

HUBS = "/apis/mcp.bigtorig.com/v1alpha1/namespaces/{namespace}/mcphubs"
DRY_RUN = "?dryRun=All&fieldValidation=Strict"


@dataclass(frozen=True, slots=True)
class Refused:
    """What the API server said when it did not take a hub."""

    code: int
    message: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HubApi:
    """Sends hubs to an API server and reads its answers."""

    server: ApiServer
    client: ApiClient

    def try_hub(self, hub: Mapping[str, Any]) -> JSON | Refused:
        """Create a hub without keeping it; return it with defaults, or the refusal."""
        return self._send("POST", f"{self._hubs(hub)}{DRY_RUN}", hub)

    def create(self, hub: Mapping[str, Any]) -> JSON | Refused:
        return self._send("POST", self._hubs(hub), hub)

    def apply(self, hub: Mapping[str, Any]) -> JSON | Refused:
        """Apply a hub from the server's side, as the CRD's users may."""
        query = "?fieldManager=tests&force=true"
        return self._send("PATCH", f"{self._path(hub)}{query}", hub, APPLY_PATCH)

    def get(self, hub: Mapping[str, Any]) -> JSON:
        return self.client.get(self._path(hub))

    def set_status(self, hub: Mapping[str, Any], status: JSON) -> JSON | Refused:
        path = f"{self._path(hub)}/status"
        return self._send("PATCH", path, {"status": status}, MERGE_PATCH)

    def scale(self, hub: Mapping[str, Any], replicas: int) -> JSON | Refused:
        change = {"spec": {"replicas": replicas}}
        return self._send("PATCH", f"{self._path(hub)}/scale", change, MERGE_PATCH)

    def get_scale(self, hub: Mapping[str, Any]) -> JSON:
        return self.client.get(f"{self._path(hub)}/scale")

    def _hubs(self, hub: Mapping[str, Any]) -> str:
        return HUBS.format(namespace=hub["metadata"].get("namespace", "default"))

    def _path(self, hub: Mapping[str, Any]) -> str:
        return f"{self._hubs(hub)}/{hub['metadata']['name']}"

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any],
        content_type: str = "application/json",
    ) -> JSON | Refused:
        code, answer = self.client.call(method, path, body, content_type)
        document: JSON = json.loads(answer)
        if code in (http.HTTPStatus.OK, http.HTTPStatus.CREATED):
            return document
        causes = document.get("details", {}).get("causes", [])
        fields = tuple(cause.get("field", "") for cause in causes)
        return Refused(code, document.get("message", ""), fields)


@contextmanager
def running_hub_api() -> Iterator[HubApi]:
    """Run an API server that serves McpHubs for as long as the block lasts."""
    with running_api_server(controllers=False) as server:
        server.run_kubectl("apply", "--server-side", "-f", str(CRD))
        crd = "customresourcedefinition/mcphubs.mcp.bigtorig.com"
        server.run_kubectl("wait", "--for=condition=Established", crd)
        pki = server.kubeconfig.parents[1] / "pki"
        api = HubApi(server, ApiClient(server.url, pki))
        _wait_until_served(api)
        yield api


def _wait_until_served(api: HubApi) -> None:
    # An Established CRD may still answer 404 for a moment.
    deadline = time.monotonic() + 10
    while not api.client.answers(HUBS.format(namespace="default")):
        if time.monotonic() > deadline:
            raise TimeoutError("the API server does not serve mcphubs")
        time.sleep(0.05)
