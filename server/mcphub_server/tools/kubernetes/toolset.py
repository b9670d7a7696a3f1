"""The tools of the cluster: workloads, pods, events, usage, descriptions, logs."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any

from fastmcp.tools.base import Tool, ToolResult
from pydantic import Field

from mcphub_server.backends.kubernetes.backend import KubernetesBackend
from mcphub_server.errors import BadArgument, QueryFailed, QueryTimeout
from mcphub_server.guards.kubernetes.names import (
    DESCRIBED,
    build_path,
    check_kind,
    check_name,
    check_namespace,
    check_selector,
)
from mcphub_server.guards.kubernetes.shown import show_object
from mcphub_server.results.table import encode_object
from mcphub_server.tools.arguments import LONGEST_WORD
from mcphub_server.tools.building import ToolDescription, build_result, build_tool
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.kubernetes import results, schemas
from mcphub_server.tools.kubernetes.nodes import describe_nodes, summarize_node
from mcphub_server.tools.kubernetes.summaries import (
    WORKLOADS,
    summarize_event,
    summarize_pod,
    summarize_usage,
    summarize_workload,
)
from mcphub_server.tools.paging import fingerprint

USUAL_LINES, MOST_LINES = 200, 2_000
LOG_BYTES = 1024 * 1024
NOT_FOUND = "404"

Namespace = Annotated[
    str | None,
    Field(
        description="One of the hub's namespaces; all of them if omitted.",
        max_length=LONGEST_WORD,
    ),
]
OneNamespace = Annotated[
    str | None,
    Field(
        description="The namespace; may be omitted where the hub has only one.",
        max_length=LONGEST_WORD,
    ),
]
Selector = Annotated[
    str | None,
    Field(
        description="A label selector, such as app=shop,tier!=test.",
        max_length=LONGEST_WORD,
    ),
]
PodName = Annotated[
    str,
    Field(
        description="The pod's name.",
        min_length=1,
        max_length=LONGEST_WORD,
    ),
]
Kind = Annotated[
    str,
    Field(
        description=f"One of {', '.join(sorted(DESCRIBED))}.",
        min_length=1,
        max_length=LONGEST_WORD,
    ),
]
ObjectName = Annotated[
    str,
    Field(
        description="The object's name.",
        min_length=1,
        max_length=LONGEST_WORD,
    ),
]
EventObject = Annotated[
    str | None,
    Field(
        description="The name of the object that events are about.",
        max_length=LONGEST_WORD,
    ),
]
Container = Annotated[
    str | None,
    Field(
        description="The container, where the pod has several.", max_length=LONGEST_WORD
    ),
]
TailLines = Annotated[
    int | None,
    Field(
        ge=1, le=MOST_LINES, description=f"How many lines; {USUAL_LINES} if omitted."
    ),
]
SinceSeconds = Annotated[
    int | None, Field(ge=1, description="Only lines of the last so many seconds.")
]
Previous = Annotated[
    bool, Field(description="Whether of the container's run before its last restart.")
]
Contains = Annotated[
    str | None,
    Field(
        description="Only lines, of those read, with this text.",
        max_length=LONGEST_WORD,
    ),
]

Summarize = Callable[[Mapping[str, Any]], dict[str, Any]]


def build_tools(backend: KubernetesBackend, context: ToolContext) -> list[Tool]:
    """Make the tools of one backend; those for logs and nodes only if wanted."""
    tools, name = KubernetesTools(backend, context), backend.name
    made = [
        build_tool(describe_workloads(name), tools.list_workloads),
        build_tool(describe_pods(name), tools.list_pods),
        build_tool(describe_events(name), tools.list_events),
        build_tool(describe_usage(name), tools.resource_usage),
        build_tool(describe_describe(name), tools.describe),
    ]
    if backend.config.logs:
        made.append(build_tool(describe_logs(name), tools.pod_logs))
    if backend.config.nodes:
        made.append(build_tool(describe_nodes(name), tools.list_nodes))
    return made


class KubernetesTools:
    """What the tools of one backend share."""

    def __init__(self, backend: KubernetesBackend, context: ToolContext) -> None:
        self._backend = backend
        self._context = context

    async def list_workloads(self, namespace: Namespace = None) -> ToolResult:
        found: list[dict[str, Any]] = []
        more = False
        for kind in WORKLOADS:
            items, rest = await self._list(kind, namespace, {})
            found += [summarize_workload(kind, each) for each in items]
            more = more or rest
        return self._answer_items(found, more=more)

    async def list_pods(
        self, namespace: Namespace = None, selector: Selector = None
    ) -> ToolResult:
        query = {"labelSelector": check_selector(selector)} if selector else {}
        items, more = await self._list("Pod", namespace, query)
        return self._answer_items([summarize_pod(each) for each in items], more=more)

    async def list_events(
        self,
        namespace: Namespace = None,
        object: EventObject = None,  # noqa: A002 -- the tool's contract
    ) -> ToolResult:
        query = {}
        if object:
            name = check_name(object.rpartition("/")[2], "object")
            query = {"fieldSelector": f"involvedObject.name={name}"}
        items, more = await self._list("Event", namespace, query)
        events = [summarize_event(each) for each in items]
        events.sort(key=lambda event: event["last_seen"] or "", reverse=True)
        return self._answer_items(events, more=more)

    async def resource_usage(self, namespace: Namespace = None) -> ToolResult:
        try:
            items, more = await self._list("PodMetrics", namespace, {})
        except QueryFailed as failure:
            if failure.code != NOT_FOUND:
                raise
            raise QueryFailed(
                "This cluster has no metrics API; its administrator can install "
                "metrics-server."
            ) from None
        return self._answer_items([summarize_usage(each) for each in items], more=more)

    async def list_nodes(self) -> ToolResult:
        self._context.note(fingerprint=fingerprint("Node"))
        items, more = await self._run(
            partial(self._backend.list_objects, "Node", "", {})
        )
        return self._answer_items([summarize_node(each) for each in items], more=more)

    async def describe(
        self, kind: Kind, name: ObjectName, namespace: OneNamespace = None
    ) -> ToolResult:
        known, where = check_kind(kind), await self._find_one(namespace)
        path = build_path(known, where, check_name(name, "object"))
        raw = await self._run(lambda: self._backend.read(path, {}))
        shown = show_object({**raw, "kind": known})
        body = results.fit_description(shown, self._context.limits.max_result_bytes)
        return self._answer(body, 1)

    async def pod_logs(  # noqa: PLR0913, PLR0917 -- the tool's own parameters
        self,
        pod: PodName,
        namespace: OneNamespace = None,
        container: Container = None,
        tail_lines: TailLines = None,
        since_seconds: SinceSeconds = None,
        previous: Previous = False,  # noqa: FBT002
        contains: Contains = None,
    ) -> ToolResult:
        name = check_name(pod, "pod")
        path = build_path("Pod", await self._find_one(namespace), f"{name}/log")
        query = {"tailLines": str(tail_lines or USUAL_LINES)}
        query |= {"limitBytes": str(LOG_BYTES), "previous": str(previous).lower()}
        if container:
            query["container"] = check_name(container, "container")
        if since_seconds:
            query["sinceSeconds"] = str(since_seconds)
        body = await self._run(lambda: self._backend.read_text(path, query, LOG_BYTES))
        lines, cut = results.fit_lines(
            body[:LOG_BYTES],
            contains,
            self._context.limits.max_result_bytes,
            more=len(body) >= LOG_BYTES,
        )
        return self._answer({"pod": name, "lines": lines, "truncated": cut}, len(lines))

    async def _list(
        self, kind: str, namespace: str | None, query: Mapping[str, str]
    ) -> tuple[list[dict[str, Any]], bool]:
        """Return the objects of one namespace or of all, and whether there are more."""
        self._context.note(fingerprint=fingerprint(kind, namespace, dict(query)))
        allowed = await self._backend.list_namespaces()
        wanted = [check_namespace(namespace, allowed)] if namespace else allowed
        found: list[dict[str, Any]] = []
        more = False
        for each in wanted:
            items, rest = await self._run(
                partial(self._backend.list_objects, kind, each, query)
            )
            found, more = found + items, more or rest
        return found, more

    async def _find_one(self, namespace: str | None) -> str:
        allowed = await self._backend.list_namespaces()
        if namespace:
            return check_namespace(namespace, allowed)
        if len(allowed) == 1:
            return allowed[0]
        raise BadArgument(f"Name a namespace: {', '.join(sorted(allowed))}.")

    async def _run(self, call: Callable[[], Any]) -> Any:
        """Call the backend within the hub's limits and its time for a statement."""
        seconds = self._context.limits.statement_timeout_seconds

        async def timed() -> Any:
            try:
                async with asyncio.timeout(seconds):
                    return await call()
            except TimeoutError:
                raise QueryTimeout("The request ran past the hub's time.") from None

        return await self._context.run(self._backend, timed)

    def _answer_items(self, items: list[dict[str, Any]], *, more: bool) -> ToolResult:
        limits = self._context.limits
        body = results.fit_items(items, limits.max_result_bytes, more=more)
        return self._answer(body, len(body["items"]))

    def _answer(self, body: dict[str, Any], rows: int) -> ToolResult:
        encoded = encode_object(body, rows, truncated=bool(body["truncated"]))
        self._context.note(rows=rows)
        return build_result(encoded.text)


def describe_workloads(name: str) -> ToolDescription:
    """Describe `<b>_list_workloads`."""
    return ToolDescription(
        f"{name}_list_workloads",
        f"List the workloads of {name}",
        "List the Deployments, StatefulSets, DaemonSets, Jobs and autoscalers of the "
        "hub's namespaces in this Kubernetes cluster: ready and desired replicas, and "
        f"what is wrong. Use {name}_list_pods to see why.",
        schemas.WORKLOADS,
    )


def describe_pods(name: str) -> ToolDescription:
    """Describe `<b>_list_pods`."""
    return ToolDescription(
        f"{name}_list_pods",
        f"List the pods of {name}",
        "List the pods of the hub's namespaces in this Kubernetes cluster: phase, the "
        "reason if one is not running, ready containers, restarts, how a container "
        "ended last, node and start. A label selector narrows the list.",
        schemas.PODS,
    )


def describe_events(name: str) -> ToolDescription:
    """Describe `<b>_list_events`."""
    return ToolDescription(
        f"{name}_list_events",
        f"List the events of {name}",
        "List the events of the hub's namespaces in this Kubernetes cluster, newest "
        "first; of one object, if its name is given. Kubernetes keeps them an hour.",
        schemas.EVENTS,
    )


def describe_usage(name: str) -> ToolDescription:
    """Describe `<b>_resource_usage`."""
    return ToolDescription(
        f"{name}_resource_usage",
        f"Show the resource usage of {name}",
        "Show CPU and memory that the pods of the hub's namespaces use now, by "
        "container, as Kubernetes quantities. Needs metrics-server in the cluster.",
        schemas.USAGE,
    )


def describe_describe(name: str) -> ToolDescription:
    """Describe `<b>_describe`."""
    return ToolDescription(
        f"{name}_describe",
        f"Describe an object of {name}",
        "Show the spec and the status of one workload or pod in this Kubernetes "
        "cluster. Values of environment variables, commands, arguments and annotations "
        "are left out, since they may hold passwords.",
        schemas.DESCRIPTION,
    )


def describe_logs(name: str) -> ToolDescription:
    """Describe `<b>_pod_logs`."""
    return ToolDescription(
        f"{name}_pod_logs",
        f"Read a pod's logs in {name}",
        "Read the last lines that a container of a pod wrote, in this Kubernetes "
        "cluster; previous=true those of its run before the last restart, contains "
        "only lines with a text.",
        schemas.LOGS,
    )
