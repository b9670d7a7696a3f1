"""The hub's own tools: how it is, and what it offers; they need no backend."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from fastmcp.tools.base import Tool, ToolResult

from mcphub_server.backends.base import BackendState
from mcphub_server.backends.health import BackendMonitor
from mcphub_server.config.backends import KINDS
from mcphub_server.tools.building import ToolDescription, build_result, build_tool

SERVICE = "mcphub"

HEALTH_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "status": {"enum": ["healthy", "degraded"]},
        "service": {"type": "string"},
        "version": {"type": "string"},
        "message": {"type": "string"},
        "backends": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "state": {"type": "string"},
                    "reason": {"type": "string"},
                    "message": {"type": "string"},
                },
                "required": ["state"],
            },
        },
    },
    "required": ["status", "service", "version", "message", "backends"],
}

SERVICES_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "total_services": {"type": "integer"},
        "services": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "type": {"enum": [*KINDS]},
                    "description": {"type": "string"},
                    "endpoint": {"type": "string"},
                    "status": {"enum": ["available", "unavailable"]},
                    "tools": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["name", "type", "endpoint", "status", "tools"],
            },
        },
    },
    "required": ["total_services", "services"],
}

AVAILABLE = frozenset({BackendState.CONNECTED, BackendState.DEGRADED})


@dataclass(frozen=True, slots=True)
class HubFacts:
    """What the hub knows about itself.

    Attributes:
        version: Of the server.
        monitors: One for each backend.
        list_tools: Returns a backend's tools that the current caller may use.
        shows: Returns whether the current caller may know of a backend.
        descriptions: What the administrator says of backends, by name.
    """

    version: str
    monitors: Sequence[BackendMonitor]
    list_tools: Callable[[str], Sequence[str]]
    shows: Callable[[str], bool] = lambda _: True
    descriptions: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> list[BackendMonitor]:
        """The backends that the current caller may know of."""
        return [each for each in self.monitors if self.shows(each.backend.name)]


def build_hub_tools(facts: HubFacts) -> list[Tool]:
    """Make `health_check` and `list_services`."""

    async def health_check() -> ToolResult:
        return answer(describe_health(facts))

    async def list_services() -> ToolResult:
        return answer(describe_services(facts))

    return [
        build_tool(
            ToolDescription(
                "health_check",
                "Check the hub's health",
                "Tell whether this server and each of its databases can be used now. "
                "Takes no arguments. Call it when another tool says that a backend "
                "is unavailable; it works even when every database is down.",
                HEALTH_SCHEMA,
            ),
            health_check,
        ),
        build_tool(
            ToolDescription(
                "list_services",
                "List the hub's databases",
                "List the databases behind this server, of which kind each is, what "
                "its administrator says of it, whether it is available, and which "
                "tools read it. Takes no arguments. Call it first to find out what "
                "can be asked.",
                SERVICES_SCHEMA,
            ),
            list_services,
        ),
    ]


def describe_health(facts: HubFacts) -> dict[str, Any]:
    """Return the answer of `health_check`."""
    down = [
        monitor.backend.name
        for monitor in facts.shown
        if monitor.observation.health.state is not BackendState.CONNECTED
    ]
    message = "All backends answer." if facts.shown else "There are no backends."
    if down:
        message = f"Not fully available: {', '.join(down)}."
    return {
        "status": "degraded" if down else "healthy",
        "service": SERVICE,
        "version": facts.version,
        "message": message,
        "backends": {
            monitor.backend.name: describe_state(monitor) for monitor in facts.shown
        },
    }


def describe_state(monitor: BackendMonitor) -> dict[str, str]:
    """Return one backend's state; reason and message where there is something wrong."""
    health = monitor.observation.health
    state = {"state": health.state.value}
    if health.reason is not None:
        state |= {"reason": health.reason.value, "message": health.message}
    return state


def describe_services(facts: HubFacts) -> dict[str, Any]:
    """Return the answer of `list_services`; endpoints carry no credentials."""
    services = {
        monitor.backend.name: describe_service(facts, monitor)
        for monitor in facts.shown
    }
    return {"total_services": len(services), "services": services}


def describe_service(facts: HubFacts, monitor: BackendMonitor) -> dict[str, Any]:
    """Return what is told of one backend."""
    backend = monitor.backend
    is_available = monitor.observation.health.state in AVAILABLE
    service: dict[str, Any] = {"name": backend.name, "type": backend.kind}
    if description := facts.descriptions.get(backend.name):
        service["description"] = description
    return service | {
        "endpoint": backend.endpoint,
        "status": "available" if is_available else "unavailable",
        "tools": list(facts.list_tools(backend.name)),
    }


def answer(structured: dict[str, Any]) -> ToolResult:
    """Make a result of a small object."""
    return build_result(msgspec.json.encode(structured).decode())
