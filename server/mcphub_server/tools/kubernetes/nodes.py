"""The cluster's nodes in a line each: whether they are ready, and how large they are.

Addresses, labels, annotations and images of nodes stay out.
"""

from typing import Any

from mcphub_server.tools.building import ToolDescription
from mcphub_server.tools.kubernetes import schemas
from mcphub_server.tools.kubernetes.summaries import MAX_MESSAGE, Object, get
from mcphub_server.tools.schemas import (
    BOOLEAN,
    OPTIONAL_STRING,
    STRING,
    STRINGS,
    build_object,
)

READY = "Ready"
SIZES = ("cpu", "memory", "pods", "ephemeral-storage")

NODES = schemas.build_items(
    build_object(
        {
            "name": STRING,
            "ready": BOOLEAN,
            "schedulable": BOOLEAN,
            "problems": STRINGS,
            "taints": STRINGS,
            "version": OPTIONAL_STRING,
            "allocatable": schemas.OBJECT,
            "created": OPTIONAL_STRING,
        }
    )
)


def summarize_node(raw: Object) -> dict[str, Any]:
    """Return whether pods can run on a node, and why not."""
    conditions = get(raw, "status", "conditions") or ()
    ready = [c for c in conditions if c.get("type") == READY]
    sizes = get(raw, "status", "allocatable") or {}
    return {
        "name": get(raw, "metadata", "name") or "",
        "ready": any(c.get("status") == "True" for c in ready),
        "schedulable": not get(raw, "spec", "unschedulable"),
        "problems": [_word(c) for c in conditions if _is_bad(c)],
        "taints": [_write_taint(each) for each in get(raw, "spec", "taints") or ()],
        "version": get(raw, "status", "nodeInfo", "kubeletVersion"),
        "allocatable": {key: sizes[key] for key in SIZES if key in sizes},
        "created": get(raw, "metadata", "creationTimestamp"),
    }


def _is_bad(condition: Object) -> bool:
    """Tell whether a condition is wrong: all but Ready are pressures and faults."""
    if condition.get("type") == READY:
        return condition.get("status") != "True"
    return condition.get("status") == "True"


def _word(condition: Object) -> str:
    told = f"{condition.get('type')}: {condition.get('reason', '')}"
    message = condition.get("message") or ""
    return f"{told}: {message}"[:MAX_MESSAGE] if message else told


def _write_taint(taint: Object) -> str:
    """Return a taint as kubectl writes it."""
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint.get('key', '')}{value}:{taint.get('effect', '')}"


def describe_nodes(name: str) -> ToolDescription:
    """Describe `<b>_list_nodes`."""
    return ToolDescription(
        f"{name}_list_nodes",
        f"List the nodes of {name}",
        "List the nodes of this Kubernetes cluster: whether they are ready and take "
        "pods, what is wrong, taints, the kubelet's version, and how much CPU, memory "
        "and storage pods may use there, as Kubernetes quantities.",
        NODES,
    )
