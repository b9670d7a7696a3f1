"""Small builders of what the operator's pure core works on."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mcphub_operator import names
from mcphub_operator.cache.children import build_cached
from mcphub_operator.desired import build_desired
from mcphub_operator.observed import (
    CachedObject,
    HubKey,
    Observed,
    OwnSecret,
    Platform,
    UserSecrets,
)
from mcphub_operator.resources.manifest import ChildId, Manifest, child_id
from mcphub_operator.resources.secrets import GeneratedSecrets
from mcphub_operator.spec.hub import Hub, parse_hub

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
PLATFORM = Platform("0.1.0", "mcphub-server:0.1.0", "mcphub-system")
FRESH = GeneratedSecrets(b"token", b"current", b"state", b"digest")
KEY = HubKey("ai", "team-data")
DEPLOYMENT = ChildId("Deployment", "team-data")

POSTGRES = {
    "name": "postgres",
    "postgres": {
        "host": "postgres.data.svc",
        "database": "app",
        "credentialsSecretRef": {"name": "hub-credentials"},
    },
}
ROUTE = {"parentRefs": [{"name": "edge"}], "hostnames": ["mcp.example.com"]}
INGRESS = {"host": "mcp.example.com"}
QDRANT = {"name": "qdrant", "qdrant": {"url": "http://qdrant.data.svc:6333"}}

CLUSTER = {"name": "cluster", "kubernetes": {}}


def body(
    *, annotations: Mapping[str, str] | None = None, generation: int = 1, **spec: Any
) -> dict[str, Any]:
    """A hub as the API server sends it."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {
            "name": KEY.name,
            "namespace": KEY.namespace,
            "uid": "hub-uid",
            "resourceVersion": "1",
            "generation": generation,
            "annotations": dict(annotations or {}),
        },
        "spec": spec,
    }


def hub(**parts: Any) -> Hub:
    return parse_hub(body(**parts))


def observe(a_hub: Hub | None = None, **parts: Any) -> Observed:
    """A hub about which nothing is known yet."""
    start = Observed(
        hub=a_hub or hub(),
        platform=PLATFORM,
        generated=FRESH,
        now=NOW,
        user_secrets=UserSecrets(hash="0123"),
        has_gateway_api=True,
    )
    return replace(start, **parts)


def live(manifest: Manifest, **changes: Any) -> CachedObject:
    """A manifest as the API server has it after the operator applied it."""
    item = json.loads(json.dumps(manifest))
    item["metadata"] |= {"uid": f"{child_id(manifest)}-uid", "resourceVersion": "5"}
    item |= changes
    return build_cached(item)


def settle(observed: Observed) -> Observed:
    """The same hub at rest: every child is there as it is desired."""
    # A second time, because a new autoscaled hub begins with a number of replicas.
    return _pass_over(_pass_over(observed))


def _pass_over(observed: Observed) -> Observed:
    children = build_desired(observed).children
    return replace(
        observed,
        children={child_id(m): live(m) for m in children},
        own_secrets={
            m["metadata"]["name"]: read_secret(m)
            for m in children
            if m["kind"] == "Secret"
        },
    )


def read_secret(manifest: Manifest) -> OwnSecret:

    data = {k: base64.b64decode(v) for k, v in manifest["data"].items()}
    return OwnSecret(data, manifest["metadata"].get("annotations", {}))


def with_deployment(observed: Observed, change: Any) -> Observed:
    """Change the live Deployment by a function of it."""
    item = observed.children[DEPLOYMENT].read()
    change(item)
    changed = build_cached(item)
    return replace(observed, children={**observed.children, DEPLOYMENT: changed})


def find_child(observed: Observed, kind: str, name: str = "team-data") -> Manifest:
    """The one desired child of this kind and name."""
    (found,) = [
        m
        for m in build_desired(observed).children
        if child_id(m) == ChildId(kind, name)
    ]
    return found
