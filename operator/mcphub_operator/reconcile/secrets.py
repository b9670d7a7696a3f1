"""Reading the Secrets of a hub: only those it names, and only when one changed.

Of users' Secrets a hash and the missing keys are kept, nothing else. The hash is an
HMAC with a key of the hub's own, because a plain hash of a short password is an
oracle to anyone who may read Deployments.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mcphub_operator import names
from mcphub_operator.errors import NotFound
from mcphub_operator.kube.api import Api
from mcphub_operator.kube.concurrency import run_together
from mcphub_operator.kube.kinds import SECRET
from mcphub_operator.kube.secrets import SecretTable
from mcphub_operator.observed import HubKey, MissingKey, OwnSecret, UserSecrets
from mcphub_operator.resources.manifest import HASH_LENGTH
from mcphub_operator.resources.secrets import Fresh, makes_token, tokens_secret
from mcphub_operator.spec.hub import Hub
from mcphub_operator.spec.references import SecretRef, secret_refs


@dataclass(frozen=True, slots=True)
class SecretFindings:
    """What a hub's Secrets came to."""

    user: UserSecrets
    own: Mapping[str, OwnSecret]


@dataclass(frozen=True, slots=True)
class _Remembered:
    versions: Mapping[str, int]
    wanted: tuple[object, ...]
    findings: SecretFindings


class SecretReader:
    """Reads Secrets and remembers what they came to."""

    def __init__(self, api: Api, table: SecretTable) -> None:
        self._api = api
        self._table = table
        self._remembered: dict[HubKey, _Remembered] = {}

    def forget(self, key: HubKey) -> None:
        """Forget a hub."""
        self._remembered.pop(key, None)
        self._table.forget(key)

    async def read(self, hub: Hub, fresh: Fresh) -> SecretFindings:
        """Return what a hub's Secrets come to; no request if none changed."""
        key = HubKey(hub.namespace, hub.name)
        own, named = _own_names(hub), _named(hub)
        self._table.subscribe(key, own | named)
        wanted = (secret_refs(hub), tokens_secret(hub), own)
        known = self._remembered.get(key)
        if (
            known is not None
            and known.wanted == wanted
            and self._is_current(key, known)
        ):
            return known.findings
        bodies = await self._get_all(hub.namespace, own | named)
        findings = _evaluate(hub, bodies, fresh)
        versions = {name: body.version for name, body in bodies.items()}
        if names.keys_secret(hub.name) in findings.own:
            # Until the keyring exists the hash is of a key that may never be written.
            self._remembered[key] = _Remembered(versions, wanted, findings)
        return findings

    def _is_current(self, key: HubKey, known: _Remembered) -> bool:
        return all(
            self._table.find_version(key.namespace, name) == version
            for name, version in known.versions.items()
        )

    async def _get_all(
        self, namespace: str, wanted: frozenset[str]
    ) -> dict[str, "_Body"]:
        ordered = sorted(wanted)
        bodies = await run_together(self._get(namespace, name) for name in ordered)
        return dict(zip(ordered, bodies, strict=True))

    async def _get(self, namespace: str, name: str) -> "_Body":
        try:
            found = await self._api.get(SECRET, namespace, name)
        except NotFound:
            self._table.learn_absent(namespace, name)
            return _Body(version=0)
        metadata = found["metadata"]
        version = int(metadata["resourceVersion"])
        self._table.learn(namespace, name, version)
        data = found.get("data") or {}
        return _Body(
            version=version,
            data={key: base64.b64decode(value) for key, value in data.items()},
            annotations=metadata.get("annotations") or {},
        )


@dataclass(frozen=True, slots=True)
class _Body:
    version: int
    data: Mapping[str, bytes] | None = None
    annotations: Mapping[str, str] | None = None


def _own_names(hub: Hub) -> frozenset[str]:
    token = {names.auth_secret(hub.name)} if makes_token(hub) else set()
    return frozenset({names.keys_secret(hub.name), *token})


def _named(hub: Hub) -> frozenset[str]:
    tokens = hub.spec.auth.tokens_secret_ref.name if tokens_secret(hub) else ""
    found = {ref.secret_name for ref in secret_refs(hub)} | {tokens}
    return frozenset(found - {""})


def _evaluate(hub: Hub, bodies: Mapping[str, _Body], fresh: Fresh) -> SecretFindings:
    own = {
        name: OwnSecret(body.data, body.annotations or {})
        for name, body in bodies.items()
        if name in _own_names(hub) and body.data is not None
    }
    keyring = own.get(names.keys_secret(hub.name))
    stored = keyring.data.get(names.KEY_DIGEST) if keyring else None
    missing = tuple(dict.fromkeys(_missing(hub, bodies)))
    digest = _digest(stored or fresh.digest, secret_refs(hub), bodies)
    return SecretFindings(UserSecrets(digest, missing), own)


def _missing(hub: Hub, bodies: Mapping[str, _Body]) -> Iterator[MissingKey]:
    for ref in secret_refs(hub):
        data = bodies[ref.secret_name].data
        if data is None:
            yield MissingKey(ref.secret_name)
        elif ref.key not in data:
            yield MissingKey(ref.secret_name, ref.key)
    tokens = hub.spec.auth.tokens_secret_ref.name if tokens_secret(hub) else ""
    if tokens and not bodies[tokens].data:
        exists = bodies[tokens].data is not None
        yield MissingKey(tokens, "with a client's token" if exists else "")


def _digest(
    key: bytes, refs: tuple[SecretRef, ...], bodies: Mapping[str, _Body]
) -> str:
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for ref in sorted(refs):
        value = (bodies[ref.secret_name].data or {}).get(ref.key, b"")
        for part in (ref.backend.encode(), ref.file_name.encode(), value):
            mac.update(len(part).to_bytes(8, "big") + part)
    return mac.hexdigest()[:HASH_LENGTH]
