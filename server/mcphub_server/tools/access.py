"""Who may call which tools: rules of the configuration, judged for one caller.

Rules only allow, and add up; within one, all conditions hold. A tool that no rule
allows is to its caller as if it did not exist. Pure.
"""

from collections.abc import Iterable

from mcphub_server.config.access import AccessConfig, AccessRuleConfig
from mcphub_server.web.caller import Client
from mcphub_server.web.claims import Claims, write_scalar

ALWAYS = frozenset({"health_check", "list_services"})
"""Tools that every caller may call; they show what the caller may use."""


class AccessPolicy:
    """The rules of a hub; None: every caller may call every tool."""

    def __init__(self, config: AccessConfig | None) -> None:
        self._rules = config.rules if config is not None else None

    @property
    def is_open(self) -> bool:
        """Return whether there are no rules."""
        return self._rules is None

    @property
    def claims(self) -> frozenset[str]:
        """The claims that the rules name."""
        return frozenset(name for rule in self._rules or () for name in rule.claims)

    def allows(self, client: Client, tool: str) -> bool:
        """Return whether a caller may call a tool."""
        if self._rules is None or tool in ALWAYS:
            return True
        return any(not find_obstacle(rule, client, tool) for rule in self._rules)

    def explain(self, client: Client, tool: str) -> str:
        """Return why a caller may not call a tool, for the administrator's log."""
        reasons = [
            f"access.rules[{number}]: {find_obstacle(rule, client, tool)}"
            for number, rule in enumerate(self._rules or ())
        ]
        return "; ".join(reasons) or "access.rules is empty"

    def find_idle(self, tools: Iterable[str]) -> list[str]:
        """Return the patterns of rules that match no tool."""
        known = list(tools)
        return [
            f"access.rules[{number}].tools: {pattern} matches no tool"
            for number, rule in enumerate(self._rules or ())
            for pattern in rule.tools
            if not any(matches(tool, pattern) for tool in known)
        ]


def find_obstacle(rule: AccessRuleConfig, client: Client, tool: str) -> str:
    """Return the condition of a rule that a call does not meet."""
    if not matches_any(tool, rule.tools):
        return "tools do not match"
    return find_unmet(rule, client.claims, client.scopes)


def find_unmet(rule: AccessRuleConfig, claims: Claims, scopes: frozenset[str]) -> str:
    """Return the condition of a rule that a caller does not meet; empty: all hold."""
    if rule.clients and not matches_any(claims.subject, rule.clients):
        return "clients do not match"
    if missing := [scope for scope in rule.scopes if scope not in scopes]:
        return f"scope {missing[0]} is not held"
    for name, accepted in rule.claims.items():
        if not holds(claims, name, accepted):
            return f"claim {name} does not match"
    return ""


def holds(claims: Claims, name: str, accepted: tuple[str, ...]) -> bool:
    """Return whether a claim, or an item of one that is a list, is accepted."""
    value = claims.find(name)
    if value is None:
        return False
    items = value if isinstance(value, list) else [value]
    return any(write_scalar(item) in accepted for item in items)


def matches_any(name: str, patterns: Iterable[str]) -> bool:
    """Return whether a name is one of the patterns."""
    return any(matches(name, pattern) for pattern in patterns)


def matches(name: str, pattern: str) -> bool:
    """Compare a name with another, or with a beginning and `*`."""
    if pattern.endswith("*"):
        return bool(name) and name.startswith(pattern[:-1])
    return bool(name) and name == pattern
