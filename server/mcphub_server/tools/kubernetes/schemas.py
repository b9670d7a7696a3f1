"""What the tools of the cluster answer, as JSON Schema."""

from typing import Any

from mcphub_server.tools.schemas import (
    BOOLEAN,
    COUNT,
    OPTIONAL_STRING,
    STRING,
    STRINGS,
    build_list,
    build_object,
)

OBJECT: dict[str, Any] = {"type": "object"}
NAMED = {"namespace": STRING, "name": STRING}


def build_items(items: dict[str, Any]) -> dict[str, Any]:
    """Make the schema of a list with what was left out of it."""
    return build_object(
        {"items": build_list(items), "total": COUNT, "truncated": BOOLEAN}
    )


WORKLOADS = build_items(
    build_object(
        {"kind": STRING, **NAMED, "ready": COUNT, "desired": COUNT, "problems": STRINGS}
    )
)

PODS = build_items(
    build_object(
        {
            **NAMED,
            "phase": STRING,
            "reason": OPTIONAL_STRING,
            "ready": STRING,
            "restarts": COUNT,
            "last_exit": {"type": ["object", "null"]},
            "node": OPTIONAL_STRING,
            "started": OPTIONAL_STRING,
            "containers": STRINGS,
        }
    )
)

EVENTS = build_items(
    build_object(
        {
            "namespace": STRING,
            "last_seen": OPTIONAL_STRING,
            "type": STRING,
            "reason": STRING,
            "object": STRING,
            "message": STRING,
            "count": COUNT,
        }
    )
)

USAGE = build_items(
    build_object({"namespace": STRING, "pod": STRING, "containers": build_list(OBJECT)})
)

LOGS = build_object({"pod": STRING, "lines": STRINGS, "truncated": BOOLEAN})

DESCRIPTION = build_object(
    {
        "kind": STRING,
        "metadata": OBJECT,
        "spec": {"type": ["object", "string"]},
        "status": {"type": ["object", "string"]},
        "truncated": BOOLEAN,
    }
)
