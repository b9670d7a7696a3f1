"""A declared prompt, as MCP's clients see it.

FastMCP lists it; `calls/prompts.py` answers with its text.
"""

from collections.abc import Mapping
from typing import Any

from fastmcp.prompts.base import Prompt, PromptArgument
from pydantic import ConfigDict, PrivateAttr

from mcphub_server.config.prompts import PLACEHOLDER, PromptConfig
from mcphub_server.errors import BadArgument

LONGEST_VALUE = 8_192


class DeclaredPrompt(Prompt):
    """A text whose placeholders become the arguments' values."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    _config: PromptConfig = PrivateAttr()

    @classmethod
    def build(cls, config: PromptConfig) -> "DeclaredPrompt":
        """Make a prompt."""
        prompt = cls(
            name=config.name,
            title=config.title or None,
            description=config.description,
            arguments=[
                PromptArgument(
                    name=each.name,
                    description=each.description or None,
                    required=each.required,
                )
                for each in config.arguments
            ],
        )
        prompt._config = config
        return prompt

    @property
    def backend(self) -> str:
        """The backend that it is about; empty: none."""
        return self._config.backend or ""

    def fill(self, arguments: Mapping[str, Any]) -> str:
        """Return the text; raise BadArgument for arguments that do not fit."""
        values = check_values(self._config, arguments)
        return fill(self._config.text, values)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace each placeholder once: a value that looks like one stays as it is."""
    return PLACEHOLDER.sub(lambda found: values.get(found[1], ""), text)


def check_values(config: PromptConfig, given: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of a prompt's arguments; raise BadArgument."""
    known = [argument.name for argument in config.arguments]
    there = ", ".join(known) or "none"
    for name, value in given.items():
        if name not in known:
            raise BadArgument(
                f"{config.name} has no argument {name[:64]}. There are: {there}."
            )
        if len(str(value)) > LONGEST_VALUE:
            raise BadArgument(f"{name} has at most {LONGEST_VALUE:,} characters.")
    for argument in config.arguments:
        if argument.required and not given.get(argument.name):
            raise BadArgument(f"{config.name} needs the argument {argument.name}.")
    return {name: str(value) for name, value in given.items()}
