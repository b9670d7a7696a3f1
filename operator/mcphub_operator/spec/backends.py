"""The databases behind a hub: PostgreSQL, Qdrant and Neo4j.

A backend is a named entry with exactly one member, like a volume of a pod. A hub can
therefore have several databases of one kind.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from mcphub_operator.spec.model import Model, rule, rules
from mcphub_operator.spec.strings import (
    HTTPURL,
    BackendName,
    DatabaseName,
    Host,
    Name,
    Neo4jURI,
    OptionalHTTPURL,
    OptionalSecretKey,
    RequiredName,
    SecretKey,
    Text,
)


class BackendType(StrEnum):
    """The kinds of database; each is also the name of its member in a backend."""

    POSTGRES = "postgres"
    QDRANT = "qdrant"
    NEO4J = "neo4j"


class SSLMode(StrEnum):
    """TLS mode of a PostgreSQL connection, with libpq's values."""

    DISABLE = "disable"
    ALLOW = "allow"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


class CredentialsRef(Model):
    """A Secret in the hub's namespace with a user name and a password."""

    name: RequiredName
    """Name of the Secret."""

    username_key: SecretKey = "username"
    """Key of the user name in the Secret."""

    password_key: SecretKey = "password"  # noqa: S105 - the name of a key
    """Key of the password in the Secret."""


class SecretKeyRef(Model):
    """A key of a Secret in the hub's namespace; empty if optional and unused."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "(self.name == '') == (self.key == '')",
                "needs both name and key: the Secret and the key inside it",
            )
        )
    )

    name: Name = ""
    """Name of the Secret."""

    key: OptionalSecretKey = ""
    """Key inside the Secret."""

    @property
    def is_set(self) -> bool:
        """Whether the reference names a key."""
        return bool(self.name and self.key)


class Pool(Model):
    """The connections that each replica keeps to the database."""

    max_size: Annotated[int, Field(ge=1, le=1000)] = 5
    """Maximum number of connections of one replica. Keep replicas x maxSize below the
    database's own limit (PostgreSQL's default is 100)."""


class PostgresBackend(Model):
    """A PostgreSQL database, accessed with one role."""

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


class Embedding(Model):
    """An OpenAI-compatible endpoint that turns text into vectors (query_text)."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "(self.url == '') == (self.model == '')",
                "needs both url and model: the endpoint and the model it serves",
            )
        )
    )

    url: OptionalHTTPURL = ""
    """Base URL of the endpoint, such as https://api.openai.com/v1."""

    model: Text = ""
    """Model that produced the vectors in the collections."""

    api_key_secret_ref: SecretKeyRef = SecretKeyRef()
    """API key of the endpoint, if it requires one."""


class QdrantBackend(Model):
    """A Qdrant server or cluster."""

    url: HTTPURL
    """URL of Qdrant's REST interface."""

    api_key_secret_ref: SecretKeyRef = SecretKeyRef()
    """Qdrant API key, if Qdrant requires one; a read-only key is sufficient."""

    collections: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=255)], ...],
        Field(max_length=100),
    ] = ()
    """Collections that the tools may access. Empty: all."""

    embedding: Embedding = Embedding()
    """Endpoint that turns query_text into a vector. Without it, a search takes a vector
    or the id of a point."""


class Neo4jBackend(Model):
    """A Neo4j database."""

    uri: Neo4jURI
    """neo4j://, neo4j+s:// or neo4j+ssc:// for a cluster or Aura; bolt://, bolt+s://
    or bolt+ssc:// for a single server."""

    database: DatabaseName = "neo4j"
    """Name of the database."""

    credentials_secret_ref: CredentialsRef
    """User with which the hub logs in; the role `reader` is sufficient."""


_MEMBERS = tuple(BackendType)
_ONE_MEMBER = "needs exactly one of postgres, qdrant and neo4j"


class Backend(Model):
    """A database of the hub."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                f"[{', '.join(f'has(self.{m})' for m in _MEMBERS)}]"
                ".filter(given, given).size() == 1",
                f"{_ONE_MEMBER}; give a second database an entry of its own",
            )
        )
    )

    name: BackendName
    """Name of the backend and prefix of its tools: `orders` provides orders_query.
    Lowercase letters, digits and underscores, starting with a letter."""

    enabled: bool = True
    """False removes the tools of the backend and keeps its settings."""

    postgres: PostgresBackend | None = None
    """This backend is a PostgreSQL database."""

    qdrant: QdrantBackend | None = None
    """This backend is a Qdrant server."""

    neo4j: Annotated[Neo4jBackend | None, Field(alias="neo4j")] = None
    """This backend is a Neo4j database."""

    @model_validator(mode="after")
    def _has_one_member(self) -> Self:
        if sum(getattr(self, member) is not None for member in _MEMBERS) != 1:
            raise PydanticCustomError("one_member", _ONE_MEMBER)
        return self

    @property
    def type(self) -> BackendType:
        """The kind of database that this backend is."""
        return next(m for m in _MEMBERS if getattr(self, m) is not None)
