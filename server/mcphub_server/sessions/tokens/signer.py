"""Which replica of which hub this process is; the ids that it signs and believes."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

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

ANNOUNCEMENT = "greeting"
NOWHERE = parse_address("0.0.0.0")  # noqa: S104 -- an owner that no one can reach


@dataclass(frozen=True, slots=True)
class Identity:
    """This replica.

    Attributes:
        hub: Namespace and name; ids of another hub are forgeries.
        address: Where the other replicas reach this one.
        uid: The digest of the pod's UID.
    """

    hub: str
    address: IpAddress
    uid: bytes


def build_identity(namespace: str, hub: str, pod_ip: str, pod_uid: str) -> Identity:
    """Make the identity; a process outside a pod is an owner that nobody can reach."""
    address = parse_address(pod_ip) if pod_ip else NOWHERE
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
    """Signs and believes ids and tickets in the name of one replica."""

    def __init__(
        self,
        identity: Identity,
        keyring: LiveKeyring,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.identity = identity
        self._keyring = keyring
        self._clock = clock

    def sign_session(self, beginning: NewSession) -> str:
        """Return the id of a session that this replica owns."""
        session = SessionId(
            beginning.transport,
            self.identity.address,
            self.identity.uid,
            beginning.revision,
            beginning.capabilities,
            digest_principal(beginning.principal),
            int(self._clock()) + LIFETIME_SECONDS,
            beginning.sdk_session_id,
        )
        key = self._keyring.keyring.signing
        return sign_session_id(session, self.identity.hub, key)

    async def find_session(
        self, text: str, transport: Transport, principal: Principal | None
    ) -> SessionId | None:
        """Return the session of an id, if it is genuine, of now, and this caller's.

        What no key accounts for may be signed with a key that arrived a moment ago.
        """
        session = self._find_session(text)
        if session is None:
            await self._keyring.refresh()
            session = self._find_session(text)
        if session is None or session.transport is not transport:
            return None
        return session if session.principal == digest_principal(principal) else None

    def _find_session(self, text: str) -> SessionId | None:
        keys = self._keyring.keyring.accepted
        return find_session_id(text, self.identity.hub, keys, self._clock())

    def owns(self, session: SessionId) -> bool:
        """Say whether the session began here."""
        return session.owner_uid == self.identity.uid

    def sign_forward_token(
        self, owner_uid: bytes, target: str, principal: Principal | None, client: str
    ) -> str:
        """Return a ticket for one request to another replica."""
        ticket = ForwardToken(owner_uid, target, principal, client, int(self._clock()))
        return sign_forward_token(
            ticket, self.identity.hub, self._keyring.keyring.signing
        )

    async def find_forward_token(self, text: str, target: str) -> ForwardToken | None:
        """Return a ticket that a replica wrote for this very request."""
        ticket = self._find_forward_token(text)
        if ticket is None:
            await self._keyring.refresh()
            ticket = self._find_forward_token(text)
        return ticket if ticket is not None and ticket.target == target else None

    def _find_forward_token(self, text: str) -> ForwardToken | None:
        keys = self._keyring.keyring.accepted
        return find_forward_token(text, self.identity.hub, keys, self._clock())

    def now(self) -> int:
        """Return the time that signer carry."""
        return int(self._clock())

    def sign_event_id(self, receipt: EventId) -> str:
        """Return the event id for a reply."""
        key = self._keyring.keyring.signing
        return sign_event_id(receipt, self.identity.hub, key)

    async def find_event_id(self, text: str) -> EventId | None:
        """Return what an event id of this hub says."""
        receipt = self._find_event_id(text)
        if receipt is None:
            await self._keyring.refresh()
            receipt = self._find_event_id(text)
        return receipt

    def _find_event_id(self, text: str) -> EventId | None:
        keys = self._keyring.keyring.accepted
        return find_event_id(text, self.identity.hub, keys, self._clock())

    def sign_announcement(self, payload: bytes) -> str:
        """Sign what one replica tells all others."""
        return sign_payload(
            payload, ANNOUNCEMENT, self.identity.hub, self._keyring.keyring.signing
        )

    async def find_announcement(self, text: str) -> bytes | None:
        """Return what a replica of this hub signed for all others."""
        payload = self._find_announcement(text)
        if payload is None:
            await self._keyring.refresh()
            payload = self._find_announcement(text)
        return payload

    def _find_announcement(self, text: str) -> bytes | None:
        newest, *others = self._keyring.keyring.accepted
        payload = find_payload(text, ANNOUNCEMENT, self.identity.hub, [newest])
        if payload is not None:
            self._keyring.settle()
            return payload
        return find_payload(text, ANNOUNCEMENT, self.identity.hub, others)


def enter_session(session: SessionId) -> None:
    """Make the session part of who is calling, for limits and the audit."""
    client = replace(current_client(), session=session.sdk_session_id.hex())
    enter_client(client)
