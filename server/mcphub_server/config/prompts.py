"""The prompts of a hub, field for field as in the McpHub's `spec.prompts`.

A prompt is read alone: one that does not hold takes no other with it.
"""

import re
from typing import Annotated, Self

from pydantic import Field, model_validator

from mcphub_server.config.model import ConfigModel
from mcphub_server.config.tools import NAME

PLACEHOLDER = re.compile(r"\{\{([a-z][a-z0-9_]{0,63})\}\}")
BEGINNING = "{{"


class PromptArgumentConfig(ConfigModel):
    """One argument; its value is a text."""

    name: Annotated[str, Field(pattern=NAME)]
    description: Annotated[str, Field(max_length=512)] = ""
    required: bool = False


class PromptConfig(ConfigModel):
    """One text with placeholders."""

    name: Annotated[str, Field(pattern=NAME)]
    title: str = ""
    description: Annotated[str, Field(min_length=1, max_length=1024)]
    backend: str | None = None
    arguments: tuple[PromptArgumentConfig, ...] = ()
    text: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def check_placeholders(self) -> Self:
        """Refuse arguments that the text does not have, and placeholders without."""
        names = [argument.name for argument in self.arguments]
        used = PLACEHOLDER.findall(self.text)
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the argument {name} is declared twice")
            if name not in used:
                raise ValueError(f"the text does not use the argument {name}")
        for name in used:
            if name not in names:
                raise ValueError(f"{{{{{name}}}}} is no argument of this prompt")
        if self.text.count(BEGINNING) != len(used):
            raise ValueError("the text has {{ that begins no placeholder")
        return self
