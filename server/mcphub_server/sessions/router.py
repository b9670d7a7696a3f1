"""Which replica answers a request: each session and each response has one owner.

This is the one decision for `/mcp`, for `/sse` and for responses that a client resumes.
"""

from collections.abc import Callable
from enum import StrEnum

from mcphub_server.sessions.forwarding.forwarder import Forwarder
from mcphub_server.sessions.forwarding.protocol import ForwardResult
from mcphub_server.sessions.metrics import SessionOutcome
from mcphub_server.sessions.tokens.session_id import Owner
from mcphub_server.web.request import Exchange


class Route(StrEnum):
    """Who answers a request."""

    LOCAL = "local"  # this replica, which is the owner
    FORWARD = "forward"  # the owner, which has answered through this replica
    ADOPT = "adopt"  # nothing was sent: this replica takes over, or refuses


def ignore(_outcome: SessionOutcome) -> None:
    """Count nothing."""


class OwnerRouter:
    """Routes each request to the owner of what it names."""

    def __init__(
        self,
        uid: bytes,
        forwarder: Forwarder,
        count: Callable[[SessionOutcome], None] = ignore,
    ) -> None:
        self._uid = uid
        self._forwarder = forwarder
        self._count = count

    async def route(
        self,
        exchange: Exchange,
        owner: Owner,
        *,
        is_local: bool = False,
        is_patient: bool = False,
    ) -> Route:
        """Return who answers; of `FORWARD`, after the owner has answered.

        Args:
            exchange: The request, its body read if it has one.
            owner: The replica that owns what the request names.
            is_local: This replica has taken over from the owner.
            is_patient: No replica can take over from the owner.
        """
        is_forwarded = exchange.request.is_forwarded
        if is_local or owner.uid == self._uid:
            if not is_forwarded:  # the replica that forwarded it has counted it
                self._count(SessionOutcome.LOCAL)
            return Route.LOCAL
        if is_forwarded:  # once only: else two replicas could forward it without end
            return Route.ADOPT
        result = await self._forwarder.forward(exchange, owner, is_patient=is_patient)
        is_gone = result is ForwardResult.OWNER_GONE
        self._count(SessionOutcome.OWNER_GONE if is_gone else SessionOutcome.FORWARDED)
        if result in {ForwardResult.ANSWERED, ForwardResult.BROKEN}:
            return Route.FORWARD
        return Route.ADOPT
