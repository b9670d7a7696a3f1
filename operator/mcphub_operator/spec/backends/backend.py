"""A backend of a hub: a name, and the options of exactly one kind.

Named entries with one member each, like a pod's volumes: several databases of one kind
in a hub are nothing special.
"""

from enum import StrEnum
from typing import Annotated, Self, get_args

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from mcphub_operator.spec.backends.kind import BackendKind
from mcphub_operator.spec.backends.kubernetes import KubernetesBackend
from mcphub_operator.spec.backends.mongodb import MongodbBackend
from mcphub_operator.spec.backends.neo4j import Neo4jBackend
from mcphub_operator.spec.backends.postgres import PostgresBackend
from mcphub_operator.spec.backends.qdrant import QdrantBackend
from mcphub_operator.spec.model import Model, has_none, rule, rules
from mcphub_operator.spec.strings import BackendName


class BuiltInMode(StrEnum):
    """Which of its own tools a backend provides."""

    ALL = "All"
    NONE = "None"
    SELECTED = "Selected"


class BuiltInTools(Model):
    """Which of its own tools a backend provides."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                f"{has_none('self.selected')}"
                " || (has(self.mode) && self.mode == 'Selected')",
                "selected needs mode Selected; set it, or remove selected",
                field="selected",
            )
        )
    )

    mode: BuiltInMode = BuiltInMode.ALL
    """All, None, or Selected: those that `selected` names."""

    selected: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=32)], ...],
        Field(max_length=16),
    ] = ()
    """Names of tools without the backend's name, such as list_tables. Empty: none."""


class _Entry(Model):
    name: BackendName
    """Name of the backend and prefix of its tools: `orders` provides orders_query."""

    description: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """What is in the database, for assistants: list_services and the hub's instructions
    repeat it. Every client who may use a tool of the backend reads it."""

    enabled: bool = True
    """False removes the tools of the backend and keeps its settings."""

    built_in_tools: BuiltInTools = BuiltInTools()
    """The backend's own tools, beside those that `tools` declares."""


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

    kubernetes: KubernetesBackend | None = None
    """This backend is the cluster itself."""


KINDS = tuple(
    name for name in _Registry.model_fields if name not in _Entry.model_fields
)


def _kind_class(kind: str) -> type[BackendKind]:
    shapes = get_args(_Registry.model_fields[kind].annotation)
    (found,) = (shape for shape in shapes if shape is not type(None))
    checked: type[BackendKind] = found
    return checked


TOOLS = {kind: _kind_class(kind).TOOLS for kind in KINDS}
"""The tools of each kind, as they are called behind the backend's name and `_`."""

DECLARING = tuple(kind for kind in KINDS if _kind_class(kind).DECLARES)
"""The kinds on which declared tools may run."""

_SELECTABLE = " || ".join(
    f"(has(self.{kind}) && s in [{', '.join(map(repr, tools))}])"
    for kind, tools in TOOLS.items()
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
            ),
            rule(
                "!has(self.builtInTools) || !has(self.builtInTools.selected)"
                f" || self.builtInTools.selected.all(s, {_SELECTABLE})",
                "builtInTools.selected must name tools of this kind of backend",
                field="builtInTools",
            ),
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
