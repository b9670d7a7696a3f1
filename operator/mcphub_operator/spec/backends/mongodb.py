"""MongoDB."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import ConfigDict, Field

from mcphub_operator.spec.backends.kind import (
    BackendKind,
    CredentialsRef,
    Endpoint,
    SecretFile,
    SecretKeyRef,
)
from mcphub_operator.spec.model import Model, rule, rules
from mcphub_operator.spec.strings import CollectionName, DatabaseName, MongodbURI

DEFAULT_PORT = 27017
"""Also the usual port of the servers behind a mongodb+srv:// name, which only DNS
knows; `networkPolicy.egressTo` opens another one."""


class MongodbTLS(Model):
    """TLS of the connections to MongoDB."""

    enabled: bool = False
    """Whether to use TLS; mongodb+srv:// always does. Certificate and host name are
    verified."""

    ca_secret_ref: SecretKeyRef = SecretKeyRef()
    """Certificate authority (PEM) that signed the server's certificate, if it is not a
    public one."""


class MongodbBackend(BackendKind):
    """A database of a MongoDB server, replica set or sharded cluster."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!(self.database in ['admin', 'config', 'local'])",
                "must not be admin, config or local, which hold the server's own data",
                "database",
            )
        )
    )

    TOOLS = (
        *("find", "aggregate", "list_collections", "describe_collection"),
        "search_objects",
    )
    DECLARES = True

    uri: MongodbURI
    """mongodb:// with one or several members of a replica set, separated by commas, or
    mongodb+srv:// with one name. No options: they have fields of their own."""

    database: DatabaseName
    """Name of the database. Tools and pipelines reach no other one."""

    auth_source: DatabaseName = "admin"
    """Database in which the user was created."""

    credentials_secret_ref: CredentialsRef
    """User with which the hub logs in; the role `read` is sufficient."""

    tls: MongodbTLS = MongodbTLS()
    """TLS of the connections."""

    collections: Annotated[tuple[CollectionName, ...], Field(max_length=100)] = ()
    """Collections that the tools may read. Empty: all but system collections."""

    def endpoints(self) -> Iterator[Endpoint]:
        """Yield the address of each member that the URI names."""
        for member in self.uri.partition("://")[2].rstrip("/").split(","):
            yield _parse_member(member)

    def secret_files(self) -> Iterator[SecretFile]:
        """Yield the login and the certificate authority."""
        yield from self.credentials_secret_ref.files()
        yield from self.tls.ca_secret_ref.files("ca.crt")


def _parse_member(member: str) -> Endpoint:
    host, _, port = member.rpartition(":")
    if not port.isdecimal():  # none, or the end of an IPv6 address
        return Endpoint(member.strip("[]"), DEFAULT_PORT)
    return Endpoint(host.strip("[]"), int(port))
