"""The two Secrets that the operator makes: a client's token and the replicas' keys.

Randomness comes in as `GeneratedSecrets`; what exists is kept, so that building twice
gives the same result. Rotation moves `current` to `previous`; the servers accept
both and read the files live, so no pod rolls. The token before a rotation stays valid
for a grace period: it stands in the Secret of the keys, because each key in the Secret
of tokens is a client. A revocation leaves no grace.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mcphub_operator import names
from mcphub_operator.resources.manifest import Manifest, build_manifest
from mcphub_operator.spec.access import AuthType
from mcphub_operator.spec.hub import Hub

Data = Mapping[str, bytes]

MIN_TOKEN_BYTES = 1
KEY_BYTES = 32
TOKEN_GRACE_SECONDS = 3600
"""How long a rotated token stays valid: time to bring the new one to the clients."""


@dataclass(frozen=True, slots=True)
class GeneratedSecrets:
    """Random material for one pass; used only for what does not exist yet."""

    token: bytes = field(repr=False)
    current: bytes = field(repr=False)
    state: bytes = field(repr=False)
    digest: bytes = field(repr=False)


def makes_token(hub: Hub) -> bool:
    """Tell whether the operator makes this hub's token."""
    auth = hub.spec.auth
    return auth.type is AuthType.TOKEN and not auth.tokens_secret_ref.name


def tokens_secret(hub: Hub) -> str | None:
    """Name of the Secret with the clients' tokens, if the hub uses tokens."""
    if hub.spec.auth.type is not AuthType.TOKEN:
        return None
    return hub.spec.auth.tokens_secret_ref.name or names.auth_secret(hub.name)


def is_own_data(hub: str, name: str, data: Data) -> bool:
    """Tell whether a Secret of the hub's names holds nothing, or what a hub made.

    A restored Secret has the operator's key beside those of further clients.
    """
    made = names.TOKEN_CLIENT if name == names.auth_secret(hub) else names.KEY_CURRENT
    return not data or made in data


def build_token_data(
    live: Data, generated: GeneratedSecrets, *, replace: bool
) -> dict[str, bytes]:
    """Return the generated token, kept where there is one already."""
    kept = live.get(names.TOKEN_CLIENT, b"").strip()
    if replace or len(kept) < MIN_TOKEN_BYTES:
        return {names.TOKEN_CLIENT: generated.token}
    return {names.TOKEN_CLIENT: live[names.TOKEN_CLIENT]}


def build_key_data(
    live: Data, generated: GeneratedSecrets, *, rotate: bool, previous_token: bytes
) -> dict[str, bytes]:
    """Return the keyring: what is missing is made, what is there is kept or moved.

    Both keys of a new hub are the same: its servers sign with `previous` while
    `current` is young, and the first rotation must not end what they signed.
    """
    made = {
        names.KEY_CURRENT: generated.current,
        names.KEY_PREVIOUS: live.get(names.KEY_CURRENT) or generated.current,
        names.KEY_STATE: generated.state,
        names.KEY_DIGEST: generated.digest,
    }
    kept = {key: live[key] for key in made if live.get(key)}
    if rotate and names.KEY_CURRENT in kept:
        kept[names.KEY_PREVIOUS] = kept.pop(names.KEY_CURRENT)
    return {**made, **kept, names.KEY_PREVIOUS_TOKEN: previous_token}


def build_previous_token(live: Data, now: datetime) -> bytes:
    """Return what the servers read of a rotated token: its end, its client, itself."""
    token = live.get(names.TOKEN_CLIENT, b"").strip()
    if not token:
        return b""
    expiry = int(now.timestamp()) + TOKEN_GRACE_SECONDS
    return b"%d %s %s" % (expiry, names.TOKEN_CLIENT.encode(), token)


def keep_previous_token(kept: bytes, now: datetime) -> bytes:
    """Return the previous token while its grace period lasts; empty after it."""
    expiry = kept.partition(b" ")[0]
    is_valid = expiry.isdigit() and int(expiry) > now.timestamp()
    return kept if is_valid else b""


def build_secret(
    hub: Hub, name: str, version: str, data: Data, answers: Mapping[str, str]
) -> Manifest:
    """Return a Secret of the hub; it remembers which requests it answered."""
    manifest = build_manifest("v1", "Secret", hub, name, version, answers or None)
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    return {**manifest, "type": "Opaque", "data": encoded}


def is_rotation_due(hub: Hub, live_annotations: Mapping[str, str]) -> bool:
    """Tell whether the hub asks for a rotation that its Secret has not seen."""
    return _is_due(hub, live_annotations, names.ANNOTATION_ROTATE)


def is_revocation_due(hub: Hub, live_annotations: Mapping[str, str]) -> bool:
    """Tell whether the hub asks for a revocation that its Secret has not seen."""
    return _is_due(hub, live_annotations, names.ANNOTATION_REVOKE)


def build_answers(
    hub: Hub, live_annotations: Mapping[str, str], *, rotates: bool = True
) -> dict[str, str]:
    """Return the annotations by which a Secret remembers what it answered.

    Without `rotates` the rotation that is asked for is not answered yet.
    """
    answers = {
        answered: hub.annotations.get(request, "")
        for request, answered in _ANSWERED.items()
    }
    if not rotates:
        answered = names.ANNOTATION_ROTATED
        answers[answered] = live_annotations.get(answered, "")
    return {name: value for name, value in answers.items() if value}


_ANSWERED = {
    names.ANNOTATION_ROTATE: names.ANNOTATION_ROTATED,
    names.ANNOTATION_REVOKE: names.ANNOTATION_REVOKED,
}


def _is_due(hub: Hub, live_annotations: Mapping[str, str], request: str) -> bool:
    """Tell whether a request is not answered yet.

    A Secret that is taken over, from a backup, may be younger than the request.
    """
    asked = hub.annotations.get(request)
    is_taken_over = names.ANNOTATION_APPLIED not in live_annotations
    is_answered = live_annotations.get(_ANSWERED[request]) == asked
    return bool(asked) and not is_taken_over and not is_answered
