"""Declared prompts: reviewed texts with arguments, chosen by people in their client."""

from typing import Annotated

from pydantic import ConfigDict, Field

from mcphub_operator.spec.declared_tools import NAME_SHAPE, list_map
from mcphub_operator.spec.model import Model, rule, rules
from mcphub_operator.spec.strings import BackendName

PromptName = Annotated[
    str, Field(min_length=1, max_length=64, json_schema_extra=rules(NAME_SHAPE))
]


class PromptArgument(Model):
    """An argument of a prompt; its value is a text."""

    name: PromptName
    """Name of the argument, and of its placeholder. `schema`, `table`, `collection` and
    `label` are completed from the backend."""

    description: Annotated[str, Field(max_length=512)] = ""
    """Description for the person who fills it in."""

    required: bool = False
    """True: a client cannot leave the argument out. False: it may be empty."""


class DeclaredPrompt(Model):
    """A reviewed text that people choose in their client."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.arguments) || self.arguments.all(a,"
                " self.text.contains('{{' + a.name + '}}'))",
                "text must use each argument as {{name}}",
                field="text",
            ),
            rule(
                "self.text.split('{{').size() - 1 == (has(self.arguments)"
                " ? self.arguments.map(a, self.text.split('{{' + a.name + '}}').size()"
                " - 1).sum() : 0)",
                "text must have no {{ other than {{name}} of an argument",
                field="text",
            ),
        )
    )

    name: PromptName
    """Name of the prompt."""

    title: Annotated[str, Field(max_length=128)] = ""
    """Title for people. Empty: made from the name."""

    description: Annotated[str, Field(min_length=1, max_length=1024)]
    """Description for people: what the prompt is for."""

    backend: Annotated[BackendName, Field()] | None = None
    """Backend that the prompt is about. Only callers who may call a tool of it see the
    prompt, and only while it is enabled."""

    arguments: Annotated[
        tuple[PromptArgument, ...],
        Field(max_length=8, json_schema_extra=list_map("name")),
    ] = ()
    """The arguments."""

    text: Annotated[str, Field(min_length=1, max_length=4096)]
    """The message that the client sends to its model; {{name}} stands for the value of
    an argument."""


Prompts = Annotated[
    tuple[DeclaredPrompt, ...],
    Field(max_length=16, json_schema_extra=list_map("name")),
]
