"""The databases of a hub, field for field as in the McpHub's `spec.backends`.

Secret references stay with the operator: here are only addresses and options, and
an address with credentials in it is refused, because it would end up in logs.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

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


class RoleConfig(ConfigModel):
    """Which role a caller gets, by the value of a claim."""

    from_claim: Annotated[str, Field(min_length=1)]
    map: Mapping[str, Annotated[str, Field(min_length=1, max_length=63)]]

    @field_validator("map")
    @classmethod
    def check_roles(cls, given: Mapping[str, str]) -> Mapping[str, str]:
        """Refuse `none`, by which SET ROLE returns to the login."""
        if not given or "none" in (role.lower() for role in given.values()):
            raise ValueError("must name roles, and not none")
        return given


class SettingConfig(ConfigModel):
    """A setting of the transaction that carries a claim."""

    name: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_.]*$")]
    from_claim: Annotated[str, Field(min_length=1)]


class PostgresIdentityConfig(ConfigModel):
    """How the caller's identity reaches the database."""

    role: RoleConfig | None = None
    settings: tuple[SettingConfig, ...] = ()

    @model_validator(mode="after")
    def check_not_empty(self) -> Self:
        """An identity that sets nothing would promise what it does not keep."""
        if self.role is None and not self.settings:
            raise ValueError("needs role or settings")
        return self

    @property
    def claims(self) -> tuple[str, ...]:
        """The names of the claims that it needs."""
        role = (self.role.from_claim,) if self.role else ()
        return (*role, *(setting.from_claim for setting in self.settings))


class PostgresConfig(ConfigModel):
    """One PostgreSQL database."""

    host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[^\s/@,]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 5432
    database: Annotated[str, Field(min_length=1, max_length=63)]
    ssl_mode: SslMode = SslMode.PREFER
    pool: PoolConfig = PoolConfig()
    pooler: bool = False
    schemas: tuple[str, ...] = ()
    allowed_functions: tuple[
        Annotated[str, Field(pattern=r"^[^.\s]+\.[^.\s]+$", max_length=127)], ...
    ] = ()
    identity: PostgresIdentityConfig | None = None
    diagnosis: bool = False

    @model_validator(mode="after")
    def check_diagnosis(self) -> Self:
        """The tools show other callers' statements, and need a session of their own."""
        if self.diagnosis and (self.identity is not None or self.pooler):
            raise ValueError("takes diagnosis only without identity and pooler")
        return self

    @model_validator(mode="after")
    def check_functions(self) -> Self:
        """A function that is only STABLE can call set_config: it could be anybody."""
        if self.identity is not None and self.allowed_functions:
            raise ValueError("takes allowedFunctions or identity, not both")
        return self


class EmbeddingConfig(ConfigModel):
    """An OpenAI-compatible endpoint that turns a text into a vector."""

    url: Address = ""
    model: str = ""


class FilterConfig(ConfigModel):
    """A field of the payload that must equal a claim."""

    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\[\]-]+$", max_length=253)]
    from_claim: Annotated[str, Field(min_length=1)]


class QdrantIdentityConfig(ConfigModel):
    """Which points a caller may find."""

    filter: Annotated[tuple[FilterConfig, ...], Field(min_length=1)]

    @property
    def claims(self) -> tuple[str, ...]:
        """The names of the claims that it needs."""
        return tuple(each.from_claim for each in self.filter)


class QdrantConfig(ConfigModel):
    """One Qdrant server."""

    url: Annotated[Address, Field(pattern=r"^https?://")]
    collections: tuple[str, ...] = ()
    embedding: EmbeddingConfig = EmbeddingConfig()
    identity: QdrantIdentityConfig | None = None


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


class BuiltInMode(StrEnum):
    """Which of its own tools a backend has."""

    ALL = "All"
    NONE = "None"
    SELECTED = "Selected"


class BuiltInToolsConfig(ConfigModel):
    """Which of its own tools a backend has; with an empty selection it has no tool."""

    mode: BuiltInMode = BuiltInMode.ALL
    selected: tuple[str, ...] = ()

    def has(self, suffix: str) -> bool:
        """Return whether the backend has the tool of this name behind its own."""
        if self.mode is BuiltInMode.SELECTED:
            return suffix in self.selected
        return self.mode is BuiltInMode.ALL


class KubernetesConfig(ConfigModel):
    """The cluster that the server runs in."""

    namespaces: tuple[str, ...] = ()
    logs: bool = False
    nodes: bool = False


class BackendConfig(ConfigModel):
    """One backend: a name, and the options of exactly one kind.

    The optional fields are the server's registry of kinds, one line each; all other
    code finds a kind's packages by the field's name.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
    description: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    enabled: bool = True
    built_in_tools: BuiltInToolsConfig = BuiltInToolsConfig()
    postgres: PostgresConfig | None = None
    qdrant: QdrantConfig | None = None
    neo4j: Neo4jConfig | None = None
    mongodb: MongodbConfig | None = None
    kubernetes: KubernetesConfig | None = None

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
    field
    for field in BackendConfig.model_fields
    if field not in {"name", "description", "enabled", "built_in_tools"}
)
