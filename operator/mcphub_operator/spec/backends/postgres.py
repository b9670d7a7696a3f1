"""PostgreSQL."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from mcphub_operator.spec.backends.kind import (
    BackendKind,
    CredentialsRef,
    Endpoint,
    SecretFile,
    SecretKeyRef,
)
from mcphub_operator.spec.identity import PostgresIdentity
from mcphub_operator.spec.model import Model, has_none, rule, rules
from mcphub_operator.spec.strings import DatabaseName, Host


class SSLMode(StrEnum):
    """TLS mode of a PostgreSQL connection, with libpq's values."""

    DISABLE = "disable"
    ALLOW = "allow"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


FunctionName = Annotated[
    str,
    Field(
        min_length=3,
        max_length=127,
        json_schema_extra=rules(
            rule(
                "self.matches('^[^.\\\\s]+[.][^.\\\\s]+$')",
                "must be a function with its schema, such as shop.search_products",
            )
        ),
    ),
]


class Pool(Model):
    """The connections that each replica keeps to the database."""

    max_size: Annotated[int, Field(ge=1, le=1000)] = 5
    """Maximum number of connections of one replica. Keep replicas x maxSize below the
    database's limit (by default 100)."""


class PostgresBackend(BackendKind):
    """A PostgreSQL database, accessed with one role."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                f"!has(self.identity) || {has_none('self.allowedFunctions')}",
                "takes identity or allowedFunctions, not both: a function that is only"
                " STABLE can change the caller's identity",
            ),
            rule(
                "!has(self.diagnosis) || !self.diagnosis || !has(self.identity)",
                "takes identity or diagnosis, not both: the diagnosis shows other"
                " callers' statements",
                field="diagnosis",
            ),
            rule(
                "!has(self.diagnosis) || !self.diagnosis || !has(self.pooler)"
                " || !self.pooler",
                "diagnosis needs a database without pooler: give it a backend of its"
                " own with the server's address",
                field="diagnosis",
            ),
        )
    )

    TOOLS = (
        *("query", "list_tables", "describe_table", "search_objects"),
        *("explain_query", "index_health", "top_statements", "vacuum_health"),
        "activity",
    )
    DECLARES = True

    host: Host
    """Host name or address of the server."""

    port: Annotated[int, Field(ge=1, le=65535)] = 5432
    """Port of the server."""

    database: DatabaseName
    """Name of the database."""

    ssl_mode: SSLMode = SSLMode.PREFER
    """TLS mode with libpq's meaning; verify-full verifies certificate and host name."""

    ca_secret_ref: SecretKeyRef = SecretKeyRef()
    """Certificate authority (PEM) that signed the server's certificate, if it is not a
    public one."""

    credentials_secret_ref: CredentialsRef
    """Role with which the hub logs in; grant it SELECT and nothing else."""

    pool: Pool = Pool()
    """The connection pool of each replica."""

    pooler: bool = False
    """Set to true behind PgBouncer or Supavisor in transaction mode; the hub then
    caches no prepared statements."""

    schemas: Annotated[tuple[DatabaseName, ...], Field(max_length=100)] = ()
    """Schemas that the tools may use. Empty: all that the role can see."""

    allowed_functions: Annotated[tuple[FunctionName, ...], Field(max_length=64)] = ()
    """Functions of yours that declared tools may call, such as shop.search_products.
    Every overload must be STABLE or IMMUTABLE, and SECURITY INVOKER."""

    identity: PostgresIdentity | None = None
    """The caller's identity in every transaction, for row level security. If unset,
    all callers read as the login."""

    diagnosis: bool = False
    """Adds tools that tell what is wrong with the database: plans, indexes, costly
    statements, vacuum, locks. They show others' statements; the login needs the role
    pg_monitor. Not with identity or pooler."""

    def endpoints(self) -> Iterator[Endpoint]:
        """Yield the server's address."""
        yield Endpoint(self.host, self.port)

    def secret_files(self) -> Iterator[SecretFile]:
        """Yield the login and the certificate authority."""
        yield from self.credentials_secret_ref.files()
        yield from self.ca_secret_ref.files("ca.crt")
