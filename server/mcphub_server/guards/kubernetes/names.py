"""Names, kinds and selectors before they become part of a request's path or query."""

import re
from collections.abc import Collection
from typing import Any

from mcphub_server.errors import BadArgument, Rejected

LONGEST_SELECTOR = 512

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_SELECTOR = re.compile(r"[-A-Za-z0-9_./=!,() ]+")

KINDS = {
    "Deployment": "apis/apps/v1/{}/deployments",
    "StatefulSet": "apis/apps/v1/{}/statefulsets",
    "DaemonSet": "apis/apps/v1/{}/daemonsets",
    "ReplicaSet": "apis/apps/v1/{}/replicasets",
    "Job": "apis/batch/v1/{}/jobs",
    "CronJob": "apis/batch/v1/{}/cronjobs",
    "HorizontalPodAutoscaler": "apis/autoscaling/v2/{}/horizontalpodautoscalers",
    "Pod": "api/v1/{}/pods",
    "Event": "api/v1/{}/events",
    "PodMetrics": "apis/metrics.k8s.io/v1beta1/{}/pods",
    "Node": "api/v1/nodes",
}
"""Every collection that the hub reads, with a place for the namespace if it has one."""

DESCRIBED = frozenset(KINDS) - {"Event", "PodMetrics", "Node"}


def check_namespace(name: Any, allowed: Collection[str]) -> str:
    """Return a namespace; raise Rejected if it is not one of the hub's."""
    if name not in allowed:
        raise Rejected(
            "read-only/namespace",
            "The namespace is not one of this hub's.",
            f"There are: {', '.join(sorted(allowed))}.",
        )
    return str(name)


def check_name(name: Any, what: str) -> str:
    """Return an object's name; raise Rejected if none can be called so."""
    if not isinstance(name, str) or _NAME.fullmatch(name) is None or ".." in name:
        raise Rejected(
            "kubernetes/name",
            f"No {what} can have this name.",
            "Use a name as a list gives it: lowercase letters, digits, '-' and '.'.",
        )
    return name


def check_kind(kind: Any) -> str:
    """Return a kind that can be described."""
    for known in DESCRIBED:
        if isinstance(kind, str) and kind.lower() in {
            known.lower(),
            f"{known.lower()}s",
        }:
            return known
    raise Rejected(
        "read-only/kind",
        "Objects of this kind cannot be described.",
        f"There are: {', '.join(sorted(DESCRIBED))}.",
    )


def check_selector(selector: Any) -> str:
    """Return a label selector; the API server reads its grammar."""
    if (
        not isinstance(selector, str)
        or len(selector) > LONGEST_SELECTOR
        or _SELECTOR.fullmatch(selector) is None
    ):
        raise BadArgument(
            "selector is a label selector such as app=shop,tier!=test or app in (a,b)."
        )
    return selector


def build_path(kind: str, namespace: str = "", name: str = "") -> str:
    """Return the path of a collection, or of one object; nodes have no namespace."""
    path = KINDS[kind].format(f"namespaces/{namespace}")
    return f"/{path}/{name}" if name else f"/{path}"
