"""Why a caller is refused: the reason, what the caller hears, and what is logged."""

from collections.abc import Callable
from enum import StrEnum

import structlog

from mcphub_server.errors import HubError
from mcphub_server.line_budget import LineBudget
from mcphub_server.web.caller import current_client

log = structlog.get_logger(__name__)


class Refusal(StrEnum):
    """The reasons; also the values of the metric's label."""

    MISSING = "missing"
    EMPTY = "empty"
    SCHEME = "scheme"
    HEADER = "header"
    SEVERAL = "several"
    UNKNOWN = "unknown"
    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    KEY = "key"
    SIGNATURE = "signature"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    CLAIMS = "claims"
    SCOPE = "scope"
    KEYS_MISSING = "keys_missing"


SENTENCES = {
    Refusal.MISSING: "Send the header: Authorization: Bearer <token>.",
    Refusal.EMPTY: "There is no token behind Bearer; check what fills it in.",
    Refusal.SCHEME: "The header Authorization has another scheme than Bearer; send: "
    "Authorization: Bearer <token>.",
    Refusal.HEADER: "The credential is not Bearer, a space and a token without white "
    "space.",
    Refusal.SEVERAL: "The request has several credentials; send one.",
    Refusal.UNKNOWN: "This token is unknown or no longer valid.",
    Refusal.MALFORMED: "This is not a signed JSON Web Token.",
    Refusal.ALGORITHM: "The token's signing algorithm is not accepted.",
    Refusal.KEY: "The issuer publishes no key that fits the token's key id and "
    "algorithm.",
    Refusal.SIGNATURE: "The token's signature does not match the issuer's key.",
    Refusal.ISSUER: "The token is of another issuer than this hub trusts.",
    Refusal.AUDIENCE: "The token is for another audience than this hub.",
    Refusal.EXPIRED: "The token has expired; get a new one.",
    Refusal.NOT_YET_VALID: "The token is not valid yet; check the clocks.",
    Refusal.CLAIMS: "A claim that this hub needs is missing or invalid.",
    Refusal.SCOPE: "This token lacks a required scope.",
    Refusal.KEYS_MISSING: "The hub has no signing keys of the issuer yet and cannot "
    "check any token; try again in a moment.",
}


class CredentialRefused(HubError):
    """A caller is not authenticated.

    Args:
        reason: Why.
        claims: The names of the claims in question, never their values.
        hint: What an administrator should look at.
    """

    def __init__(
        self, reason: Refusal, claims: tuple[str, ...] = (), hint: str = ""
    ) -> None:
        super().__init__(SENTENCES[reason])
        self.reason = reason
        self.claims = claims
        self.hint = hint


class RefusalLog:
    """Counts every refusal, and logs a bounded number of each reason."""

    def __init__(self, count: Callable[[str], None], budget: LineBudget) -> None:
        self._count = count
        self._budget = budget

    def note(self, refused: CredentialRefused) -> None:
        """Record one refusal; no part of the credential is."""
        self._count(refused.reason)
        held_back = self._budget.take(refused.reason)
        if held_back is None:
            return
        facts = {
            "claims": list(refused.claims),
            "hint": refused.hint,
            "held_back": held_back,
        }
        log.warning(
            "authentication refused",
            reason=refused.reason.value,
            address=current_client().address,
            **{name: value for name, value in facts.items() if value},
        )
