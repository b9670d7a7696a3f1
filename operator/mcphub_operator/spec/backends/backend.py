"""A backend of a hub: a name, and the options of exactly one kind.

Named entries with one member each, like a pod's volumes: several databases of one kind
in a hub are nothing special.
"""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from mcphub_operator.spec.backends.kind import BackendKind
from mcphub_operator.spec.backends.mongodb import MongodbBackend
from mcphub_operator.spec.backends.neo4j import Neo4jBackend
from mcphub_operator.spec.backends.postgres import PostgresBackend
from mcphub_operator.spec.backends.qdrant import QdrantBackend
from mcphub_operator.spec.model import Model, rule, rules
from mcphub_operator.spec.strings import BackendName


class _Entry(Model):
    name: BackendName
    """Name of the backend and prefix of its tools: `orders` provides orders_query.
    Lowercase letters, digits and underscores, starting with a letter."""

    enabled: bool = True
    """False removes the tools of the backend and keeps its settings."""


class _Registry(_Entry):
    """The kinds of backend: a field for each, and nowhere else a list of them."""

    postgres: PostgresBackend | None = None
    """This backend is a PostgreSQL database."""

    qdrant: QdrantBackend | None = None
    """This backend is a Qdrant server."""

    neo4j: Annotated[Neo4jBackend | None, Field(alias="neo4j")] = None
    """This backend is a Neo4j database."""

    mongodb: MongodbBackend | None = None
    """This backend is a MongoDB database."""


KINDS = tuple(
    name for name in _Registry.model_fields if name not in _Entry.model_fields
)
_ONE_KIND = f"needs exactly one of {', '.join(KINDS[:-1])} and {KINDS[-1]}"


class Backend(_Registry):
    """A database of the hub."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                f"[{', '.join(f'has(self.{kind})' for kind in KINDS)}]"
                ".filter(given, given).size() == 1",
                f"{_ONE_KIND}; give a second database an entry of its own",
            )
        )
    )

    @model_validator(mode="after")
    def _has_one_kind(self) -> Self:
        if len(self._given) != 1:
            raise PydanticCustomError("one_member", _ONE_KIND)
        return self

    @property
    def type(self) -> str:
        """Return which kind of backend this is: one of KINDS."""
        return self._given[0]

    @property
    def options(self) -> BackendKind:
        """Return the options of its kind."""
        options: BackendKind = getattr(self, self.type)
        return options

    @property
    def _given(self) -> list[str]:
        return [kind for kind in KINDS if getattr(self, kind) is not None]
