"""Signs and verifies what replicas of one hub write, in the name of this replica."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from mcphub_server.sessions.forwarding.forward_token import (
    ForwardToken,
    find_forward_token,
    sign_forward_token,
)
from mcphub_server.sessions.resumability.event_id import (
    EventId,
    find_event_id,
    sign_event_id,
)
from mcphub_server.sessions.tokens.keyring import LiveKeyring
from mcphub_server.sessions.tokens.mac import find_payload, sign_payload
from mcphub_server.sessions.tokens.principal import Principal, digest_principal
from mcphub_server.sessions.tokens.session_id import (
    Capability,
    IpAddress,
    SessionId,
    Transport,
    digest,
    find_session_id,
    parse_address,
    sign_session_id,
)
from mcphub_server.web.caller import current_client, enter_client

LIFETIME_SECONDS = 7 * 24 * 3600
"""Longer than any stream is left open; the rotation of keys ends sessions earlier."""

ANNOUNCEMENT = "announcement"
UNREACHABLE = parse_address("0.0.0.0")  # noqa: S104 -- the owner has no address

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Identity:
    """This replica.

    Attributes:
        hub: Namespace and name; the ids of another hub are forgeries.
        address: Where the other replicas reach this one.
        uid: The digest of the pod's UID.
    """

    hub: str
    address: IpAddress
    uid: bytes


def build_identity(namespace: str, hub: str, pod_ip: str, pod_uid: str) -> Identity:
    """Make the identity; no other replica reaches a process outside a pod."""
    address = parse_address(pod_ip) if pod_ip else UNREACHABLE
    uid = digest(pod_uid or secrets.token_hex(16))
    return Identity(f"{namespace}/{hub}", address, uid)


@dataclass(frozen=True, slots=True)
class NewSession:
    """What is known of a session when its id is made."""

    transport: Transport
    sdk_session_id: bytes
    principal: Principal | None
    revision: str = ""
    capabilities: Capability = Capability.NONE


class TokenSigner:
    """Signs and verifies session ids, forward tokens, event ids and announcements."""

    def __init__(
        self,
        identity: Identity,
        keyring: LiveKeyring,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.identity = identity
        self._keyring = keyring
        self._clock = clock

    def now(self) -> int:
        """Return the time that signatures carry."""
        return int(self._clock())

    def sign_session(self, new: NewSession) -> str:
        """Return the id of a session that this replica owns."""
        session = SessionId(
            transport=new.transport,
            owner_address=self.identity.address,
            owner_uid=self.identity.uid,
            revision=new.revision,
            capabilities=new.capabilities,
            principal=digest_principal(new.principal),
            expires_at=self.now() + LIFETIME_SECONDS,
            sdk_session_id=new.sdk_session_id,
        )
        return sign_session_id(session, self.identity.hub, self._signing_key)

    async def find_session(
        self, text: str, transport: Transport, principal: Principal | None
    ) -> SessionId | None:
        """Return the session of an id that is genuine, valid and this caller's."""
        session = await self._verify(
            lambda keys: find_session_id(text, self.identity.hub, keys, self._clock())
        )
        if session is None or session.transport is not transport:
            return None
        return session if session.principal == digest_principal(principal) else None

    def owns(self, session: SessionId) -> bool:
        """Return whether the session began here."""
        return session.owner_uid == self.identity.uid

    def sign_forward_token(
        self, owner_uid: bytes, target: str, principal: Principal | None, client: str
    ) -> str:
        """Return the token for one request to another replica."""
        token = ForwardToken(owner_uid, target, principal, client, self.now())
        return sign_forward_token(token, self.identity.hub, self._signing_key)

    async def find_forward_token(self, text: str, target: str) -> ForwardToken | None:
        """Return a token that a replica wrote for this very request."""
        token = await self._verify(
            lambda keys: find_forward_token(
                text, self.identity.hub, keys, self._clock()
            )
        )
        return token if token is not None and token.target == target else None

    def sign_event_id(self, event_id: EventId) -> str:
        """Return the event id of a response."""
        return sign_event_id(event_id, self.identity.hub, self._signing_key)

    async def find_event_id(self, text: str) -> EventId | None:
        """Return the content of an event id of this hub."""
        return await self._verify(
            lambda keys: find_event_id(text, self.identity.hub, keys, self._clock())
        )

    def sign_announcement(self, payload: bytes) -> str:
        """Sign what this replica sends to every other one."""
        return sign_payload(payload, ANNOUNCEMENT, self.identity.hub, self._signing_key)

    async def find_announcement(self, text: str) -> bytes | None:
        """Return what a replica of this hub signed for every other one."""
        return await self._verify(lambda keys: self._find_announcement(text, keys))

    def _find_announcement(self, text: str, keys: Sequence[bytes]) -> bytes | None:
        newest, *others = keys
        payload = find_payload(text, ANNOUNCEMENT, self.identity.hub, [newest])
        if payload is not None:
            self._keyring.settle()
            return payload
        return find_payload(text, ANNOUNCEMENT, self.identity.hub, others)

    @property
    def _signing_key(self) -> bytes:
        return self._keyring.keyring.signing

    async def _verify(
        self, find: Callable[[Sequence[bytes]], Found | None]
    ) -> Found | None:
        """Try the accepted keys; read the key files again if none fits.

        A signature that no key explains may come from a key that has just arrived.
        """
        found = find(self._keyring.keyring.accepted)
        if found is None:
            await self._keyring.refresh()
            found = find(self._keyring.keyring.accepted)
        return found


def enter_session(session: SessionId) -> None:
    """Make the session part of the caller's identity, for limits and the audit."""
    client = replace(current_client(), session=session.sdk_session_id.hex())
    enter_client(client)
