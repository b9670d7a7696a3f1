"""What `/status` says of authentication: whether callers can be checked at all."""

from dataclasses import dataclass
from enum import StrEnum


class AuthProblem(StrEnum):
    """What is wrong; the operator makes reasons of conditions from these words."""

    KEYS_MISSING = "KeysMissing"
    TOKENS_REFUSED = "TokensRefused"


@dataclass(frozen=True, slots=True)
class AuthReport:
    """The state of a replica's authentication.

    Attributes:
        problem: None if every configured client can authenticate.
        message: Names clients and files; never a token.
    """

    problem: AuthProblem | None = None
    message: str = ""


ALL_WELL = AuthReport()
