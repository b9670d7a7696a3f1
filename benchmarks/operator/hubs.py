"""The hubs of the benchmark, and what the operator must write for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from benchmarks.operator.plane import CREDENTIALS
from mcphub_operator import names
from mcphub_operator.client.encoding import encode_body
from mcphub_operator.client.kinds import BY_NAME, HUB
from mcphub_operator.client.writer import APPLY, JSON_PATCH
from mcphub_operator.desired import build_desired
from mcphub_operator.observed import HubKey, Observed, Platform, UserSecrets
from mcphub_operator.resources.secrets import GeneratedSecrets
from mcphub_operator.spec.hub import parse_hub
from mcphub_operator.status.compose import build_status
from mcphub_operator.status.findings import Findings

Object = dict[str, Any]

NO_UID = "00000000-0000-0000-0000-000000000000"
"""Stands where the API server's will be; of the same length."""
FIELD_MANAGER = f"?fieldManager={names.FIELD_MANAGER}&force=true"
SPEC: Mapping[str, Any] = {
    "backends": [
        {
            "name": "postgres",
            "postgres": {
                "host": "postgres.data.svc",
                "database": "app",
                "credentialsSecretRef": {"name": CREDENTIALS},
            },
        }
    ]
}


def build_hub(namespace: str, name: str, **spec: Any) -> Object:
    """Return a hub with one backend, as a user applies it."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {**SPEC, **spec},
    }


def build_names(count: int, prefix: str = "hub") -> list[str]:
    """Return the names of so many hubs."""
    return [f"{prefix}-{number:05}" for number in range(count)]


@dataclass(frozen=True, slots=True)
class Write:
    """One write, ready to be sent."""

    method: str
    path: str
    content_type: str
    body: bytes

    def owned_by(self, uid: str) -> "Write":
        """Return the same with the hub's uid in its place."""
        body = self.body.replace(NO_UID.encode(), uid.encode())
        return Write(self.method, self.path, self.content_type, body)


def build_hub_write(hub: Object) -> Write:
    """Return a user's apply of a hub."""
    metadata = hub["metadata"]
    path = HUB.path(metadata["namespace"], metadata["name"])
    query = "?fieldManager=user&force=true"
    return Write("PATCH", path + query, APPLY, encode_body(hub))


def build_child_writes(hub: Object) -> list[Write]:
    """Return the applies of a hub's children, as the operator makes them."""
    return [
        Write(
            "PATCH",
            BY_NAME[child["kind"]].path(
                hub["metadata"]["namespace"], child["metadata"]["name"]
            )
            + FIELD_MANAGER,
            APPLY,
            encode_body(child),
        )
        for child in build_desired(_observe(hub)).children
    ]


def build_status_write(hub: Object) -> Write:
    """Return what else the operator writes of a new hub."""
    observed = _observe(hub)
    key = HubKey(observed.hub.namespace, observed.hub.name)
    status = [
        {"op": "test", "path": "/metadata/uid", "value": NO_UID},
        {"op": "add", "path": "/status", "value": build_status(observed, Findings())},
    ]
    path = HUB.path(key.namespace, key.name) + "/status"
    return Write("PATCH", path, JSON_PATCH, encode_body(status))


def _observe(hub: Object) -> Observed:
    metadata = {**hub["metadata"], "uid": NO_UID, "generation": 1}
    generated = GeneratedSecrets(*(b"0" * 64 for _ in range(4)))
    return Observed(
        hub=parse_hub({**hub, "metadata": metadata}),
        platform=Platform(version("mcphub"), f"mcphub-server:{version('mcphub')}"),
        generated=generated,
        now=datetime.now(UTC),
        user_secrets=UserSecrets(hash="0123456789abcdef"),
    )
