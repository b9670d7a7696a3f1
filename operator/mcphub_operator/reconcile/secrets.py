"""Reading the Secrets of a hub: only those it names, and only when one changed.

The operator's own come with the answers to its writes, and at its start with one list:
a GET for each would be half of what a restart with many hubs asks.

Of users' Secrets a hash and the missing keys are kept, nothing else. The hash is an
HMAC with a key of the hub's own, because a plain hash of a short password is an
oracle to anyone who may read Deployments.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from mcphub_operator import names
from mcphub_operator.cache.secrets import ABSENT, SecretCache, SecretKey
from mcphub_operator.certificates import Certificate, parse_certificate
from mcphub_operator.client.api import Api, Object
from mcphub_operator.client.concurrency import run_together
from mcphub_operator.client.kinds import SECRET
from mcphub_operator.errors import NotFound
from mcphub_operator.observed import HubKey, MissingKey, OwnSecret, UserSecrets
from mcphub_operator.resources.manifest import HASH_LENGTH
from mcphub_operator.resources.secrets import (
    GeneratedSecrets,
    makes_token,
    tokens_secret,
)
from mcphub_operator.spec.hub import Hub
from mcphub_operator.spec.references import SecretRef, secret_refs


@dataclass(frozen=True, slots=True)
class SecretFindings:
    """What a hub's Secrets came to."""

    user: UserSecrets
    own: Mapping[str, OwnSecret]
    free: frozenset[str] = frozenset()
    """Names that were asked for just now, and are free."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    versions: Mapping[str, int]
    wanted: tuple[object, ...]
    findings: SecretFindings
    digest_key: bytes = field(repr=False)


class SecretReader:
    """Reads Secrets and remembers what they came to."""

    def __init__(self, api: Api, cache: SecretCache) -> None:
        self._api = api
        self._cache = cache
        self._remembered: dict[HubKey, _Remembered] = {}
        self._listed: dict[SecretKey, _Body] = {}

    def forget(self, key: HubKey) -> None:
        """Forget a hub."""
        self._remembered.pop(key, None)
        for name in (names.keys_secret(key.name), names.auth_secret(key.name)):
            self._listed.pop((key.namespace, name), None)
        self._cache.forget(key)

    def find_shared(self, key: HubKey) -> frozenset[str]:
        """Return which of a hub's own Secrets other hubs read."""
        own = (names.auth_secret(key.name), names.keys_secret(key.name))
        return frozenset(n for n in own if self._cache.find_readers(key, n) - {key})

    async def read(
        self, hub: Hub, generated: GeneratedSecrets, *, ask: bool = False
    ) -> SecretFindings:
        """Return what a hub's Secrets come to; no request if none changed.

        With `ask` there is one for each, whatever the caches say.
        """
        key = HubKey(hub.namespace, hub.name)
        own, named = _own_names(hub), _named(hub)
        self._cache.subscribe(key, own | named)
        wanted = (secret_refs(hub), tokens_secret(hub), own, _tls_secret(hub))
        known = self._remembered.get(key)
        if (
            known is not None
            and known.wanted == wanted
            and self._is_current(key, known)
            and not ask
        ):
            return known.findings
        unmade = frozenset() if ask else self._find_unmade(key, own - named)
        bodies = await self._get_all(key, (own | named) - unmade)
        for name in unmade:
            self._cache.learn_absent(key.namespace, name)
            bodies[name] = _Body(version=ABSENT)
        findings = _evaluate(hub, bodies, generated, asked=ask)
        self._remembered[key] = _Remembered(
            versions={name: body.version for name, body in bodies.items()},
            wanted=wanted,
            findings=replace(findings, free=frozenset()),
            digest_key=_digest_key(hub, findings.own, generated),
        )
        return findings

    def learn(self, key: HubKey, item: Object) -> None:
        """Take over an own Secret that a write of ours returned."""
        name, body = item["metadata"]["name"], _read_body(item)
        self._cache.learn(key.namespace, name, body.version)
        known = self._remembered.get(key)
        if known is None or body.data is None:
            return
        if body.data.get(names.KEY_DIGEST, known.digest_key) != known.digest_key:
            # Users' Secrets have another hash by this key: read them once more.
            del self._remembered[key]
            return
        own = {**known.findings.own, name: OwnSecret(body.data, body.annotations)}
        self._remembered[key] = replace(
            known,
            versions={**known.versions, name: body.version},
            findings=replace(known.findings, own=own),
        )

    async def prefetch(self, namespace: str | None) -> None:
        """Read all own Secrets at once, for the first pass over each hub.

        Raises:
            ApiError: they could not be read; the passes will, one by one.
        """
        selector = names.MANAGED_SELECTOR
        async for item in self._api.list_items(SECRET, namespace, selector):
            metadata = item["metadata"]
            self._listed[metadata["namespace"], metadata["name"]] = _read_body(item)

    def _is_current(self, key: HubKey, known: _Remembered) -> bool:
        # Until the keyring exists the hash is of a key that may never be written.
        return names.keys_secret(key.name) in known.findings.own and all(
            self._cache.find_version(key.namespace, name) == version
            for name, version in known.versions.items()
        )

    def _find_unmade(self, key: HubKey, own: frozenset[str]) -> frozenset[str]:
        """Return which of the operator's own Secrets no watch has reported."""
        return frozenset(
            name
            for name in own
            if self._cache.find_own_version(key, name) is None
            and not self._cache.find_version(key.namespace, name)
        )

    async def _get_all(self, key: HubKey, wanted: frozenset[str]) -> dict[str, "_Body"]:
        ordered = sorted(wanted)
        bodies = await run_together(self._get(key, name) for name in ordered)
        return dict(zip(ordered, bodies, strict=True))

    async def _get(self, key: HubKey, name: str) -> "_Body":
        body = self._listed.pop((key.namespace, name), None)
        if body is None or body.version != self._cache.find_own_version(key, name):
            try:
                body = _read_body(await self._api.get(SECRET, key.namespace, name))
            except NotFound:
                self._cache.learn_absent(key.namespace, name)
                return _Body(version=ABSENT)
        self._cache.learn(key.namespace, name, body.version)
        return body


@dataclass(frozen=True, slots=True)
class _Body:
    version: int
    data: Mapping[str, bytes] | None = field(default=None, repr=False)
    annotations: Mapping[str, str] = field(default_factory=dict)


def _read_body(item: Object) -> _Body:
    metadata, data = item["metadata"], item.get("data") or {}
    return _Body(
        version=int(metadata["resourceVersion"]),
        data={key: base64.b64decode(value) for key, value in data.items()},
        annotations=metadata.get("annotations") or {},
    )


def _own_names(hub: Hub) -> frozenset[str]:
    token = {names.auth_secret(hub.name)} if makes_token(hub) else set()
    return frozenset({names.keys_secret(hub.name), *token})


def _named(hub: Hub) -> frozenset[str]:
    tokens = hub.spec.auth.tokens_secret_ref.name if tokens_secret(hub) else ""
    refs = {ref.secret_name for ref in secret_refs(hub)}
    found = refs | {tokens, _tls_secret(hub)}
    return frozenset(found - {""})


def _evaluate(
    hub: Hub, bodies: Mapping[str, _Body], generated: GeneratedSecrets, *, asked: bool
) -> SecretFindings:
    own = {
        name: OwnSecret(body.data, body.annotations)
        for name, body in bodies.items()
        if name in _own_names(hub) and body.data is not None
    }
    missing = tuple(dict.fromkeys(_missing(hub, bodies)))
    digest = _digest(_digest_key(hub, own, generated), secret_refs(hub), bodies)
    absent = frozenset(name for name, body in bodies.items() if body.data is None)
    free = absent if asked else frozenset[str]()
    user = UserSecrets(digest, missing, _find_certificate(hub, bodies))
    return SecretFindings(user, own, free)


def _tls_secret(hub: Hub) -> str:
    tls = hub.spec.tls
    return tls.secret_ref.name if tls is not None else ""


def _find_certificate(hub: Hub, bodies: Mapping[str, _Body]) -> Certificate | None:
    """Judge the certificate; it is in no hash, since servers read a renewed one."""
    name = _tls_secret(hub)
    data = bodies[name].data or {} if name else {}
    chain, key = (data.get(part) for part in names.CERTIFICATE_KEYS)
    if chain is None or key is None:
        return None
    return parse_certificate(chain, key)


def _digest_key(
    hub: Hub, own: Mapping[str, OwnSecret], generated: GeneratedSecrets
) -> bytes:
    keyring = own.get(names.keys_secret(hub.name))
    return (keyring.data.get(names.KEY_DIGEST) if keyring else None) or generated.digest


def _missing(hub: Hub, bodies: Mapping[str, _Body]) -> Iterator[MissingKey]:
    for ref in secret_refs(hub):
        data = bodies[ref.secret_name].data
        if data is None:
            yield MissingKey(ref.secret_name)
        elif ref.key not in data:
            yield MissingKey(ref.secret_name, ref.key)
    yield from _missing_certificate(hub, bodies)
    tokens = hub.spec.auth.tokens_secret_ref.name if tokens_secret(hub) else ""
    if tokens and not bodies[tokens].data:
        exists = bodies[tokens].data is not None
        yield MissingKey(tokens, "with a client's token" if exists else "")


def _missing_certificate(hub: Hub, bodies: Mapping[str, _Body]) -> Iterator[MissingKey]:
    name = _tls_secret(hub)
    if not name:
        return
    data = bodies[name].data
    if data is None:
        yield MissingKey(name)
        return
    yield from (MissingKey(name, k) for k in names.CERTIFICATE_KEYS if k not in data)


def _digest(
    key: bytes, refs: tuple[SecretRef, ...], bodies: Mapping[str, _Body]
) -> str:
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for ref in sorted(refs):
        value = (bodies[ref.secret_name].data or {}).get(ref.key, b"")
        for part in (ref.backend.encode(), ref.file_name.encode(), value):
            mac.update(len(part).to_bytes(8, "big") + part)
    return mac.hexdigest()[:HASH_LENGTH]
