"""How the caller's identity reaches a database that keeps rows apart."""

from typing import Annotated

from pydantic import ConfigDict, Field

from mcphub_operator.spec.model import Model, has_none, rule, rules
from mcphub_operator.spec.strings import DatabaseName, RequiredClaimName

SettingName = Annotated[
    str,
    Field(
        min_length=3,
        max_length=63,
        json_schema_extra=rules(
            rule(
                "self.matches('^[a-z_][a-z0-9_]*[.][a-z_][a-z0-9_.]*$')",
                "must be a setting of your own with a dot in it, such as app.tenant_id",
            )
        ),
    ),
]


class RoleMap(Model):
    """The role that a caller gets, by the value of a claim."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "self.map.all(k, self.map[k].lowerAscii() != 'none')",
                "must not map to none, by which SET ROLE returns to the login",
                field="map",
            )
        )
    )

    from_claim: RequiredClaimName
    """The claim. Callers without it, or with a value that is not in `map`, are
    refused."""

    map: Annotated[dict[str, DatabaseName], Field(min_length=1, max_length=64)]
    """Roles by value of the claim."""


class Setting(Model):
    """A setting of the transaction that carries a claim, for policies to read."""

    name: SettingName
    """Name of the setting, such as app.tenant_id."""

    from_claim: RequiredClaimName
    """The claim. Callers without it are refused."""


class PostgresIdentity(Model):
    """The caller's identity in every transaction, for row level security."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                f"has(self.role) || !{has_none('self.settings')}",
                "needs role or settings",
            )
        )
    )

    role: RoleMap | None = None
    """Role that the transaction takes on (SET LOCAL ROLE)."""

    settings: Annotated[tuple[Setting, ...], Field(max_length=8)] = ()
    """Settings of the transaction (set_config)."""


PayloadKey = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        json_schema_extra=rules(
            rule(
                "self.matches('^[][A-Za-z0-9_.-]+$')",
                "must be the path of a payload field, such as tenant_id or owner.id",
            )
        ),
    ),
]


class Filter(Model):
    """A field of the payload that must equal a claim."""

    key: PayloadKey
    """Path of the field. A field that holds a list needs the value among its items."""

    from_claim: RequiredClaimName
    """The claim. Callers without it are refused."""


class QdrantIdentity(Model):
    """Which points a caller may find."""

    filter: Annotated[tuple[Filter, ...], Field(min_length=1, max_length=8)]
    """Conditions that every point must meet, beside the caller's own filter."""
