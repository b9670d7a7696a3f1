"""The files that a pod sees: configuration, credentials, tokens, keys.

Users' Secrets are projected, never copied: the operator does not write them anywhere.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

from mcphub_operator import names
from mcphub_operator.resources.secrets import tokens_secret
from mcphub_operator.spec.hub import Hub
from mcphub_operator.spec.references import SecretRef, secret_refs

READABLE_BY_GROUP = 0o440
SCRATCH_SIZE = "64Mi"
POD_KEYS = (
    names.KEY_CURRENT,
    names.KEY_PREVIOUS,
    names.KEY_STATE,
    names.KEY_PREVIOUS_TOKEN,
)


def build_volumes(hub: Hub) -> list[dict[str, Any]]:
    """Return the pod's volumes."""
    return [volume for volume, _ in _parts(hub)]


def build_mounts(hub: Hub) -> list[dict[str, Any]]:
    """Return where the container sees them."""
    return [
        {"name": volume["name"], "mountPath": path}
        | ({} if volume["name"] == "scratch" else {"readOnly": True})
        for volume, path in _parts(hub)
    ]


def _parts(hub: Hub) -> Iterator[tuple[dict[str, Any], str]]:
    config = {"name": hub.name, "defaultMode": READABLE_BY_GROUP}
    yield {"name": "config", "configMap": config}, names.CONFIG_FOLDER
    refs = secret_refs(hub)
    sources = [_source(ref.secret_name, group) for ref, group in _by_secret(refs)]
    sources += _api_tokens(hub)
    if sources:
        projected = {"sources": sources, "defaultMode": READABLE_BY_GROUP}
        yield {"name": "secrets", "projected": projected}, names.SECRETS_FOLDER
    tokens = tokens_secret(hub)
    if tokens:
        yield _secret("tokens", tokens), names.TOKENS_FOLDER
    keys = _secret("keys", names.keys_secret(hub.name))
    keys["secret"]["items"] = [{"key": key, "path": key} for key in POD_KEYS]
    yield keys, names.KEYS_FOLDER
    if hub.spec.tls is not None:
        pair = _secret("tls", hub.spec.tls.secret_ref.name)
        pair["secret"]["items"] = [
            {"key": key, "path": key} for key in names.CERTIFICATE_KEYS
        ]
        yield pair, names.TLS_FOLDER
    yield {"name": "scratch", "emptyDir": {"sizeLimit": SCRATCH_SIZE}}, "/tmp"  # noqa: S108


def _api_tokens(hub: Hub) -> Iterator[dict[str, Any]]:
    """Yield a token for the API server, and its authority, where a backend needs one.

    The kubelet renews the token; the ServiceAccount's own is never mounted.
    """
    for backend in hub.spec.backends:
        if backend.enabled and backend.options.NEEDS_API_TOKEN:
            token = {"path": f"{backend.name}/token", "expirationSeconds": 3600}
            yield {"serviceAccountToken": token}
            items = [{"key": "ca.crt", "path": f"{backend.name}/ca.crt"}]
            yield {"configMap": {"name": "kube-root-ca.crt", "items": items}}


def _by_secret(
    refs: Iterable[SecretRef],
) -> Iterator[tuple[SecretRef, list[SecretRef]]]:
    ordered = sorted(refs, key=attrgetter("secret_name", "backend", "file_name"))
    for _, group in groupby(ordered, key=attrgetter("secret_name")):
        members = list(group)
        yield members[0], members


def _source(secret: str, refs: Iterable[SecretRef]) -> dict[str, Any]:
    items = [{"key": ref.key, "path": f"{ref.backend}/{ref.file_name}"} for ref in refs]
    return {"secret": {"name": secret, "items": items}}


def _secret(volume: str, secret: str) -> dict[str, Any]:
    content = {"secretName": secret, "defaultMode": READABLE_BY_GROUP}
    return {"name": volume, "secret": content}
