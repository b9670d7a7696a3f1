"""The declared tools of a hub, field for field as in the McpHub's `spec.tools`.

A tool is read alone: one that does not hold takes no other with it.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StrictInt, StrictStr, model_validator

from mcphub_server.config.model import ConfigModel

RESERVED = frozenset({"limit", "cursor"})
"""Arguments that every declared tool has for its pages."""

NAME = r"^[a-z][a-z0-9_]{0,63}$"


class ValueType(StrEnum):
    """The types of single values."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"


class ParameterType(StrEnum):
    """The types of parameters."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    ARRAY = "array"


Written = StrictInt | StrictStr
"""A value in the resource: whole numbers as such, all others as text."""


class ItemsConfig(ConfigModel):
    """What the items of an array must be."""

    type: ValueType
    enum: tuple[Written, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    min_length: Annotated[int, Field(ge=0)] | None = None
    max_length: Annotated[int, Field(ge=0)] | None = None
    pattern: str = ""


class ParameterConfig(ConfigModel):
    """One parameter: from the caller's arguments, or from a claim of the caller."""

    name: Annotated[str, Field(pattern=NAME)]
    type: ParameterType
    description: str = ""
    default: Written | None = None
    from_claim: str = ""
    enum: tuple[Written, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    min_length: Annotated[int, Field(ge=0)] | None = None
    max_length: Annotated[int, Field(ge=0)] | None = None
    pattern: str = ""
    items: ItemsConfig | None = None
    min_items: Annotated[int, Field(ge=0)] | None = None
    max_items: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def check_source(self) -> Self:
        """Refuse two sources, and an array that does not say what is in it."""
        if self.from_claim and self.default is not None:
            raise ValueError("takes fromClaim or default, not both")
        if (self.type is ParameterType.ARRAY) != (self.items is not None):
            raise ValueError("needs items with type array, and only with it")
        if self.name in RESERVED and not self.from_claim:
            raise ValueError(f"must not be called {self.name}, which every tool has")
        return self


class ToolLimitsConfig(ConfigModel):
    """Limits of one tool, below those of the hub."""

    max_rows: Annotated[int, Field(ge=1)] | None = None
    statement_timeout_seconds: Annotated[int, Field(ge=1)] | None = None


class DeclaredToolConfig(ConfigModel):
    """One reviewed statement as a tool."""

    name: Annotated[str, Field(pattern=NAME)]
    title: str = ""
    description: Annotated[str, Field(min_length=1, max_length=1024)]
    backend: str
    statement: Annotated[str, Field(min_length=1)]
    parameters: tuple[ParameterConfig, ...] = ()
    limits: ToolLimitsConfig = ToolLimitsConfig()

    @model_validator(mode="after")
    def check_unique_names(self) -> Self:
        """Two parameters of one name would be one argument."""
        names = [parameter.name for parameter in self.parameters]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the parameter {name} is declared twice")
        return self
