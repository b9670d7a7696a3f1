"""The databases of a hub, field for field as in the McpHub's `spec.backends`.

Secret references stay with the operator: here are only addresses and options, and
an address with credentials in it is refused, because it would end up in logs.
"""

from enum import StrEnum
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from mcphub_server.config.model import ConfigModel


def check_no_credentials(url: str) -> str:
    """Refuse an address that carries a user or a password."""
    if "@" in urlsplit(url).netloc:
        raise ValueError("must not carry credentials; put them into the secret files")
    return url


Address = Annotated[str, Field(max_length=2048), AfterValidator(check_no_credentials)]


class SslMode(StrEnum):
    """libpq's words for how a connection to PostgreSQL is secured."""

    DISABLE = "disable"
    ALLOW = "allow"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


class PoolConfig(ConfigModel):
    """How many connections one replica may hold."""

    max_size: Annotated[int, Field(ge=1)] = 5


class PostgresConfig(ConfigModel):
    """One PostgreSQL database."""

    host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[^\s/@,]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 5432
    database: Annotated[str, Field(min_length=1, max_length=63)]
    ssl_mode: SslMode = SslMode.PREFER
    pool: PoolConfig = PoolConfig()
    pooler: bool = False
    schemas: tuple[str, ...] = ()


class EmbeddingConfig(ConfigModel):
    """An OpenAI-compatible endpoint that turns a text into a vector."""

    url: Address = ""
    model: str = ""


class QdrantConfig(ConfigModel):
    """One Qdrant server."""

    url: Annotated[Address, Field(pattern=r"^https?://")]
    collections: tuple[str, ...] = ()
    embedding: EmbeddingConfig = EmbeddingConfig()


class Neo4jConfig(ConfigModel):
    """One Neo4j database."""

    uri: Annotated[Address, Field(pattern=r"^(neo4j|bolt)(\+s|\+ssc)?://")]
    database: str = "neo4j"


def check_not_reserved(database: str) -> str:
    """Refuse the databases in which MongoDB keeps its users and its own data."""
    if database in {"admin", "config", "local"}:
        raise ValueError("must not be admin, config or local")
    return database


class MongodbTlsConfig(ConfigModel):
    """Whether connections to MongoDB use TLS."""

    enabled: bool = False


class MongodbConfig(ConfigModel):
    """One database of a MongoDB deployment."""

    uri: Annotated[Address, Field(pattern=r"^mongodb(\+srv)?://[^/?#]+/?$")]
    database: Annotated[
        str, Field(min_length=1, max_length=63), AfterValidator(check_not_reserved)
    ]
    auth_source: str = "admin"
    tls: MongodbTlsConfig = MongodbTlsConfig()
    collections: tuple[str, ...] = ()


class BackendConfig(ConfigModel):
    """One backend: a name, and the options of exactly one kind.

    The optional fields are the server's registry of kinds, one line each; all other
    code finds a kind's packages by the field's name.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
    enabled: bool = True
    postgres: PostgresConfig | None = None
    qdrant: QdrantConfig | None = None
    neo4j: Neo4jConfig | None = None
    mongodb: MongodbConfig | None = None

    @model_validator(mode="after")
    def check_one_kind(self) -> Self:
        """Refuse none and several, as the custom resource's own rule does."""
        if len(self._given) != 1:
            raise ValueError(f"needs exactly one of {', '.join(KINDS)}")
        return self

    @property
    def kind(self) -> str:
        """Which kind of database this is: a word of KINDS."""
        return self._given[0]

    @property
    def options(self) -> ConfigModel:
        """The kind's own options."""
        options: ConfigModel = getattr(self, self.kind)
        return options

    @property
    def _given(self) -> list[str]:
        return [kind for kind in KINDS if getattr(self, kind) is not None]


KINDS = tuple(
    field for field in BackendConfig.model_fields if field not in {"name", "enabled"}
)
