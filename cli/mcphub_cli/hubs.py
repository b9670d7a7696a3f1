"""An McpHub as this program reads it; pure functions of the API server's answer.

Every field of a status may be missing: a hub may be new, and an operator older or newer
than this program.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcphub_cli import names


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the status."""

    type: str
    status: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Backend:
    """One database, as the ready replicas see it."""

    name: str
    type: str
    state: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A declared tool that is not Ready."""

    name: str
    state: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub: what its spec asks for, as far as a client must know, and its status.

    Attributes:
        observed_generation: None while no operator has written a status.
        has_tls: whether the pods speak TLS on the port for clients.
        token_secret: the Secret with the clients' tokens; "" without such tokens.
    """

    namespace: str
    name: str
    generation: int
    observed_generation: int | None
    is_being_deleted: bool
    auth_type: str
    has_tls: bool
    token_secret: str
    replicas: str
    connected: str
    url: str
    conditions: tuple[Condition, ...]
    backends: tuple[Backend, ...]
    tools: tuple[Tool, ...]

    def find_condition(self, kind: str) -> Condition | None:
        """Return the condition of a type, if the status has it."""
        return next((each for each in self.conditions if each.type == kind), None)

    @property
    def ready(self) -> Condition:
        """The condition Ready; its reason is the STATUS of `kubectl get mcphubs`."""
        return self.find_condition("Ready") or Condition("Ready", "Unknown", "", "")

    @property
    def is_well(self) -> bool:
        """Whether the hub matches its spec and no condition says otherwise."""
        failing = ("BackendsReachable", "ToolsValid", "SecretsResolved")
        return self.ready.reason == "Available" and not any(
            each.status == "False" for each in self.conditions if each.type in failing
        )


def parse_hub(body: Mapping[str, Any]) -> Hub:
    """Return the hub in an object of the API server."""
    head, spec = body["metadata"], body.get("spec") or {}
    status = body.get("status") or {}
    summary = status.get("summary") or {}
    auth = spec.get("auth") or {}
    auth_type = str(auth.get("type") or "Token")
    return Hub(
        namespace=str(head["namespace"]),
        name=str(head["name"]),
        generation=int(head.get("generation") or 0),
        observed_generation=status.get("observedGeneration"),
        is_being_deleted="deletionTimestamp" in head,
        auth_type=auth_type,
        has_tls=bool(spec.get("tls")),
        token_secret=_find_token_secret(auth, auth_type, str(head["name"])),
        replicas=str(summary.get("replicas") or ""),
        connected=str(summary.get("backends") or ""),
        url=str((status.get("endpoints") or {}).get("mcp") or ""),
        conditions=tuple(
            Condition(*_read(each, "type", "status", "reason", "message"))
            for each in status.get("conditions") or ()
        ),
        backends=tuple(
            Backend(*_read(each, "name", "type", "state", "reason", "message"))
            for each in status.get("backends") or ()
        ),
        tools=tuple(
            Tool(*_read(each, "name", "state", "reason", "message"))
            for each in status.get("tools") or ()
        ),
    )


def _find_token_secret(auth: Mapping[str, Any], auth_type: str, hub: str) -> str:
    if auth_type != "Token":
        return ""
    given = (auth.get("tokensSecretRef") or {}).get("name")
    return str(given or names.auth_secret(hub))


def _read(entry: Mapping[str, Any], *keys: str) -> tuple[str, ...]:
    return tuple(str(entry.get(key) or "") for key in keys)
