"""The caller's identity as PostgreSQL gets it: a role and settings of the transaction.

It is set in the message that begins the transaction, by the simple protocol. The whole
message is lexed before the first of its statements runs, so it is read with the
session's `standard_conforming_strings`, whatever the message itself sets: an ordinary
literal could be broken out of with a backslash. In E'…' a backslash is an escape under
both settings. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mcphub_server.backends.identity import read_claim
from mcphub_server.config.backends import PostgresIdentityConfig, RoleConfig
from mcphub_server.errors import Forbidden
from mcphub_server.web.claims import Claims, write_scalar


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a transaction is for.

    Attributes:
        role: The role to take on; empty: the login stays.
        settings: Names and values of settings.
    """

    role: str = ""
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def sql(self) -> str:
        """Statements for the message that begins the transaction.

        DISCARD PLANS because PL/pgSQL keeps plans in the session: one in which a policy
        wrongly called IMMUTABLE was folded would show this caller another's rows.
        """
        parts = [
            f"SELECT pg_catalog.set_config({quote(name)}, {quote(value)}, true)"
            for name, value in self.settings
        ]
        role = [f"SET LOCAL ROLE {quote(self.role)}"] if self.role else []
        return "; ".join(["", "DISCARD PLANS", *parts, *role])


def build_identity(
    config: PostgresIdentityConfig | None, claims: Claims
) -> Identity | None:
    """Return the caller's identity; None where the backend has no such thing.

    Raises:
        Forbidden: A claim is missing, is of a wrong kind, or stands for no role.
    """
    if config is None:
        return None
    role = find_role(config.role, claims) if config.role else ""
    settings = tuple(
        (setting.name, read_text(claims, setting.from_claim))
        for setting in config.settings
    )
    return Identity(role, settings)


def find_role(config: RoleConfig, claims: Claims) -> str:
    """Return the role for the caller's claim."""
    value = read_text(claims, config.from_claim)
    role = config.map.get(value)
    if role is None:
        raise Forbidden(f"claim {config.from_claim} has a value that maps to no role")
    return role


def read_text(claims: Claims, name: str) -> str:
    """Return a claim as text that a setting can hold."""
    return write_scalar(read_claim(claims, name))


def quote(text: str) -> str:
    """Return a literal that no value ends, whatever the session's settings."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"


def list_roles(config: PostgresIdentityConfig) -> Sequence[str]:
    """Return the roles that callers may get."""
    return sorted(set(config.role.map.values())) if config.role else []
