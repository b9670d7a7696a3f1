"""Answers the requests of MCP about resources and completion.

FastMCP would have every provider list everything before it cuts a page. Tables are
asked of their database, a page at a time; so these requests are answered here, through
the middleware that all requests of the hub pass.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from fastmcp import FastMCP
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    PromptReference,
    ReadResourceRequestParams,
    ReadResourceResult,
    RequestParams,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from mcphub_server.calls.audit import build_origin, build_trace
from mcphub_server.calls.fast_path import CallMiddleware
from mcphub_server.calls.own_requests import Answer, Context, through
from mcphub_server.errors import BadArgument, Forbidden, Rejected, ToolFailure
from mcphub_server.tools.objects.schemas import (
    MOST_COMPLETIONS,
    SchemaCatalog,
    UnknownSchema,
)

JSON = "application/json"
CALLERS_FAULT = (BadArgument, Rejected, Forbidden)

audit = structlog.get_logger("mcphub.audit")
log = structlog.get_logger(__name__)

Result = TypeVar("Result")
FindPromptBackend = Callable[[str], str]
"""Returns the backend of a prompt that the caller may use; empty: it has none."""


def serve_resources(
    mcp: FastMCP,
    schemas: SchemaCatalog,
    middleware: CallMiddleware,
    find_prompt_backend: FindPromptBackend = lambda _: "",
) -> None:
    """Have a server answer with these schemas.

    Args:
        mcp: The server.
        schemas: What the caller may see.
        middleware: What every request passes.
        find_prompt_backend: Tells where a prompt's arguments are completed from.
    """
    requests = ResourceRequests(schemas, find_prompt_backend)
    server = mcp._mcp_server  # noqa: SLF001 -- FastMCP has no other way to it
    answers: tuple[tuple[str, type[RequestParams], Answer], ...] = (
        ("resources/list", PaginatedRequestParams, requests.list_resources),
        ("resources/templates/list", PaginatedRequestParams, requests.list_templates),
        ("resources/read", ReadResourceRequestParams, requests.read),
    )
    for method, params, answer in answers:
        server.add_request_handler(method, params, through(middleware, method, answer))
    # no interior method of FastMCP's: the middleware has seen it already
    server.add_request_handler(
        "completion/complete", CompleteRequestParams, requests.complete
    )


class ResourceRequests:
    """The answers."""

    def __init__(
        self, schemas: SchemaCatalog, find_prompt_backend: FindPromptBackend
    ) -> None:
        self._schemas = schemas
        self._find_prompt_backend = find_prompt_backend

    async def list_resources(
        self, params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        """Return a page of the schemas."""
        cursor = params.cursor if params else None
        page, following = await told(self._schemas.list_page(cursor))
        resources = [
            Resource(
                uri=each.uri,
                name=each.name,
                title=each.title,
                description=each.text or None,
                mime_type=JSON,
            )
            for each in page
        ]
        return ListResourcesResult(resources=resources, next_cursor=following)

    async def list_templates(
        self, _params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        """Return a template for each backend."""
        templates = [
            ResourceTemplate(
                uri_template=each.uri,
                name=each.name,
                title=each.title,
                description=each.text,
                mime_type=JSON,
            )
            for each in self._schemas.list_templates()
        ]
        return ListResourceTemplatesResult(resource_templates=templates)

    async def read(self, params: ReadResourceRequestParams) -> ReadResourceResult:
        """Return one schema, and write an audit line about it."""
        uri = str(params.uri)
        outcome, backend, size = "failed", "", 0
        try:
            backend, text = await told(self._schemas.read(uri))
            outcome, size = "ok", len(text)
        except UnknownSchema:
            outcome = "unknown_resource"
            raise MCPError(
                INVALID_PARAMS, f"Resource not found: {uri!r}", {"uri": uri}
            ) from None
        finally:
            log_read(backend, outcome, size)
        contents = TextResourceContents(uri=uri, text=text, mime_type=JSON)
        return ReadResourceResult(contents=[contents])

    async def complete(
        self, _ctx: Context, params: CompleteRequestParams
    ) -> CompleteResult:
        """Return how an argument may go on."""
        others = dict(params.context.arguments or {}) if params.context else {}
        place, begun = params.argument.name, params.argument.value
        others.pop(place, None)
        if isinstance(params.ref, PromptReference):
            backend = self._find_prompt_backend(params.ref.name)
        else:
            backend = self._schemas.find_template(params.ref.uri)
            others = {"schema": "", **others}
        found = await self._schemas.complete(backend, place, begun, others)
        values, more = found[:MOST_COMPLETIONS], len(found) > MOST_COMPLETIONS
        return CompleteResult(
            completion=Completion(values=values, has_more=True if more else None)
        )


async def told(call: Awaitable[Result]) -> Result:
    """Await an answer; tell a failure as an error of MCP."""
    try:
        return await call
    except (UnknownSchema, MCPError):
        raise
    except ToolFailure as failure:
        if isinstance(failure, Forbidden):
            log.warning("resource forbidden", cause=failure.cause)
        code = INVALID_PARAMS if isinstance(failure, CALLERS_FAULT) else INTERNAL_ERROR
        seconds = failure.retry_after_seconds
        data = None if seconds is None else {"retryAfterSeconds": round(seconds, 3)}
        raise MCPError(code, str(failure), data) from None
    except Exception:  # the edge: nothing may reach the client raw
        log.exception("resource failed unexpectedly")
        message = (
            "The server failed; this is not your fault, and trying again may help."
        )
        raise MCPError(INTERNAL_ERROR, message) from None


def log_read(backend: str, outcome: str, size_bytes: int) -> None:
    """Write the audit line: who read a schema of which backend; no name in it."""
    audit.info(
        "resource read",
        **build_origin(),
        backend=backend,
        bytes=size_bytes,
        outcome=outcome,
        **build_trace(),
    )
