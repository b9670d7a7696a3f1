"""Who may call which tools."""

from typing import Annotated

from pydantic import Field

from mcphub_operator.spec.model import Model, rule, rules
from mcphub_operator.spec.strings import Text

_PATTERN = rule(
    "self.matches('^[^*]*[*]?$')", "may have one '*', at its end: ops-* or *"
)

NamePattern = Annotated[
    str, Field(min_length=1, max_length=253, json_schema_extra=rules(_PATTERN))
]

ClaimValues = Annotated[tuple[Text, ...], Field(min_length=1, max_length=32)]


class AccessRule(Model):
    """One rule. All of its conditions must hold; a condition left out always holds."""

    clients: Annotated[tuple[NamePattern, ...], Field(max_length=64)] = ()
    """Names of clients: of tokens, or the `sub` of a JWT. A '*' at the end stands for
    any rest. Empty: every client."""

    scopes: Annotated[tuple[Text, ...], Field(max_length=32)] = ()
    """Scopes of which the token must carry all; only with auth.type JWT."""

    claims: Annotated[dict[str, ClaimValues], Field(max_length=8)] = Field({})
    """Claims, each with the values of which it must have one. Of a claim that is a
    list, one item suffices."""

    tools: Annotated[tuple[NamePattern, ...], Field(min_length=1, max_length=64)]
    """Names of tools that the rule allows. A '*' at the end stands for any rest."""


class Access(Model):
    """Who may call which tools. Rules add up; what no rule allows is refused."""

    rules: Annotated[tuple[AccessRule, ...], Field(max_length=64)] = ()
    """The rules. Empty: no tool may be called, except health_check and
    list_services."""
