"""The base of every configuration model: the McpHub's own field names, nothing else.

`hub.yaml` repeats fields of the custom resource, so attributes are snake_case in
Python and camelCase in the file, and an unknown field is an error: a
misspelt limit that is silently ignored is worse than a server that does not start.
"""

from pydantic import BaseModel, ConfigDict

CAPITALS = frozenset({"http", "uri", "url"})


def to_field_name(attribute: str) -> str:
    """Return the McpHub's name of an attribute: camelCase, acronyms in capitals."""
    first, *others = attribute.split("_")
    return first + "".join(
        word.upper() if word in CAPITALS else word.capitalize() for word in others
    )


class ConfigModel(BaseModel):
    """A frozen part of the configuration."""

    model_config = ConfigDict(
        alias_generator=to_field_name,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
    )
