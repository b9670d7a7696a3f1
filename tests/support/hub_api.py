"""The API server with the McpHub CRD in it, for tests of what it lets through.

No operator runs: what is asked here is what the API server alone decides.
"""

import http
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.definition import HUBS
from tools.cluster.api import APPLY_PATCH, MERGE_PATCH, ApiClient
from tools.cluster.apiserver import ApiAccess

JSON = dict[str, Any]

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

    server: ApiAccess
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


def open_hub_api(server: ApiAccess) -> HubApi:
    """Return the way to ask an API server that serves hubs."""
    return HubApi(server, ApiClient(server.url, server.pki))
