"""Who may call which tools, field for field as in the McpHub's `spec.access`."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from mcphub_server.config.model import ConfigModel

Pattern = Annotated[str, Field(min_length=1, pattern=r"^[^*]*\*?$")]
"""A name, or the beginning of one and `*`."""


class AccessRuleConfig(ConfigModel):
    """One rule; all of its conditions must hold."""

    clients: tuple[Pattern, ...] = ()
    scopes: tuple[str, ...] = ()
    claims: Mapping[str, tuple[str, ...]] = {}
    tools: tuple[Pattern, ...]


class AccessConfig(ConfigModel):
    """The rules; without any, no tool may be called."""

    rules: tuple[AccessRuleConfig, ...] = ()
