"""Each command's result, once as a value for JSON and once as text."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from mcphub_cli.audit_log import COLUMNS
from mcphub_cli.doctor import Check
from mcphub_cli.hubs import Backend, Condition, Hub, Tool
from mcphub_cli.output import format_table

HUB_COLUMNS = ("NAMESPACE", "NAME", "READY", "BACKENDS", "STATUS", "URL", "MESSAGE")


def describe_hub(hub: Hub) -> dict[str, Any]:
    """Return a hub as a value for JSON."""
    return {
        "namespace": hub.namespace,
        "name": hub.name,
        "replicas": hub.replicas,
        "connected": hub.connected,
        "status": hub.ready.reason,
        "url": hub.url,
        "message": hub.ready.message,
        "healthy": hub.is_well,
        "conditions": [asdict(each) for each in hub.conditions],
        "backends": [asdict(each) for each in hub.backends],
        "tools": [asdict(each) for each in hub.tools],
    }


def list_hubs(hubs: Sequence[Hub]) -> str:
    """Return a table of hubs."""
    rows = [
        (
            *(hub.namespace, hub.name, hub.replicas, hub.connected),
            *(hub.ready.reason, hub.url, hub.ready.message),
        )
        for hub in hubs
    ]
    return format_table(HUB_COLUMNS, rows)


def show_hub(hub: Hub) -> str:
    """Return a hub with its conditions, databases, and tools that are not ready."""
    parts = [list_hubs([hub])]
    sections: dict[str, Sequence[Condition | Backend | Tool]] = {
        "CONDITION STATUS REASON MESSAGE": hub.conditions,
        "BACKEND TYPE STATE REASON MESSAGE": hub.backends,
        "TOOL STATE REASON MESSAGE": hub.tools,
    }
    for head, entries in sections.items():
        if entries:
            rows = [[*asdict(each).values()] for each in entries]
            parts.append(format_table(head.split(), rows))
    return "\n\n".join(parts)


def list_tools(tools: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of tools with their arguments; optional ones in brackets."""
    rows = [(each["name"], _arguments(each), each.get("title") or "") for each in tools]
    return format_table(("NAME", "ARGUMENTS", "TITLE"), rows)


def _arguments(tool: Mapping[str, Any]) -> str:
    schema = tool.get("inputSchema") or {}
    required = schema.get("required") or ()
    names = schema.get("properties") or {}
    return " ".join(name if name in required else f"[{name}]" for name in names)


def read_result(result: Mapping[str, Any]) -> Any:
    """Return what a tool answered: the structured content, else its texts."""
    if result.get("structuredContent") is not None:
        return result["structuredContent"]
    return "\n".join(str(part.get("text", "")) for part in result.get("content") or ())


def show_result(answer: Any) -> str:
    """Return an answer as text: rows as a table, with what else it says below."""
    if isinstance(answer, str):
        return answer
    if not {"columns", "rows"} <= answer.keys():
        return json.dumps(answer, indent=2, ensure_ascii=False)
    rows = [[_cell(value) for value in row] for row in answer["rows"]]
    table = format_table([str(column) for column in answer["columns"]], rows)
    rest = [
        f"{key}: {_cell(value)}"
        for key, value in answer.items()
        if key not in ("columns", "rows")
    ]
    return "\n".join([table, "", *rest])


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def show_call(line: Mapping[str, Any]) -> str:
    """Return a line of the audit log as text."""
    return "  ".join(str(line[key]) for key in COLUMNS if line.get(key) is not None)


def describe_walk(hub: str, checks: Sequence[Check]) -> dict[str, Any]:
    """Return the doctor's walk as a value for JSON."""
    return {
        "hub": hub,
        "healthy": all(each.is_well for each in checks),
        "checks": [asdict(each) for each in checks],
    }


def show_check(check: Check) -> str:
    """Return one step of the walk as text."""
    if check.is_well:
        return f"ok     {check.name}: {check.message}"
    return f"WRONG  {check.name}: {check.reason}: {check.message}"
