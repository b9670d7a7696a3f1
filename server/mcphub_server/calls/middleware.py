"""Limits, measures and audits every MCP request.

This is the only FastMCP middleware, because each one costs a layer of coroutines per
request. A limit refuses with a tool error or a JSON-RPC error, never with HTTP 429 or
503: a non-2xx response to a POST kills Python's SSE client.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from fastmcp.exceptions import NotFoundError, ValidationError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import ToolResult
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolRequestParams
from pydantic import ValidationError as PydanticValidationError

from mcphub_server.calls.rate_limit import RateLimiter
from mcphub_server.config.hub import LimitsConfig
from mcphub_server.errors import BadArgument, LimitExceeded
from mcphub_server.tools.arguments import describe_problems
from mcphub_server.tools.building import ERROR_META, build_failure
from mcphub_server.traffic.state import ServerState
from mcphub_server.web.caller import Client, current_client, find_share
from mcphub_server.web.jsonrpc import RATE_LIMITED

audit = structlog.get_logger("mcphub.audit")


BuildKey = Callable[[Client], Hashable]
RateLimiters = Sequence[tuple[RateLimiter, BuildKey]]


class CallMetrics(Protocol):
    """What is counted here."""

    def observe(
        self, method: str | None, tool: str, seconds: float, error_type: str
    ) -> None: ...

    def count_result(self, tool: str, rows: int, size_bytes: int) -> None: ...

    def count_failure(self, tool: str, kind: str) -> None: ...

    def count_limited(self, limit: str) -> None: ...


@dataclass(slots=True)
class CallRecord:
    """What a running call adds to its audit line."""

    fingerprint: str = ""
    rows: int = 0
    refusal: str = ""


_record: ContextVar[CallRecord | None] = ContextVar("mcphub_call", default=None)


def note_call(*, fingerprint: str | None = None, rows: int | None = None) -> None:
    """Add facts to the audit line of the call that is running."""
    record = _record.get()
    if record is None:
        return
    if fingerprint is not None:
        record.fingerprint = fingerprint
    if rows is not None:
        record.rows = rows


class ToolCallMiddleware(Middleware):
    """Limits, measures and records each request."""

    def __init__(
        self,
        limiters: RateLimiters,
        metrics: CallMetrics,
        state: ServerState,
        clock: Callable[[], float] = time.monotonic,
        explain: Callable[[str], str] = lambda _: "",
    ) -> None:
        """Prepare.

        Args:
            limiters: Limits of requests, each with the key that it counts by.
            metrics: What is counted.
            state: What the hub is doing.
            clock: Measures calls.
            explain: Returns which rule keeps the caller from a tool, if one does.
        """
        self._explain = explain
        self._limiters = limiters
        self._metrics = metrics
        self._state = state
        self._clock = clock

    async def __call__(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        if context.type != "request":
            return await call_next(context)
        limited = await self._limit()
        # malformed calls come here as the raw message that was refused
        if isinstance(context.message, CallToolRequestParams):
            return await self._around_tool(context, call_next, limited)
        if limited is not None:
            raise MCPError(
                RATE_LIMITED,
                str(limited),
                {"retryAfterSeconds": limited.retry_after_seconds},
            )
        return await self._around_other(context, call_next)

    def charge(self, cpu_seconds: float) -> None:
        """Charge the current caller for what a check cost of the processor."""
        now, client = self._clock(), current_client()
        for limiter, build_key in self._limiters:
            limiter.charge(build_key(client), cpu_seconds, now)

    async def _limit(self) -> LimitExceeded | None:
        client, now = current_client(), self._clock()
        seconds = max(
            limiter.take(build_key(client), now)
            for limiter, build_key in self._limiters
        )
        if not seconds:
            return None
        self._metrics.count_limited("rate")
        await self._state.throttle.spend_refusal()
        return LimitExceeded(
            f"Too many requests; try again in {max(seconds, 0.1):.1f} s.",
            retry_after_seconds=round(max(seconds, 0.1), 3),
        )

    async def _around_other(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        begun = self._clock()
        error_type = "error"
        try:
            result = await call_next(context)
            error_type = ""
        finally:
            self._metrics.observe(context.method, "", self._clock() - begun, error_type)
        return result

    async def _around_tool(
        self,
        context: MiddlewareContext[Any],
        call_next: CallNext[Any, Any],
        limited: LimitExceeded | None,
    ) -> ToolResult:
        record = CallRecord()
        token = _record.set(record)
        begun = self._clock()
        outcome, size_bytes = "cancelled", 0
        try:
            with self._state.call():
                result = await self._call(context, call_next, limited)
            outcome, size_bytes = describe_outcome(result), measure(result)
        except NotFoundError:
            record.refusal = self._explain(context.message.name)
            outcome = "forbidden" if record.refusal else "unknown_tool"
            raise
        finally:
            _record.reset(token)
            tool = context.message.name
            seconds = self._clock() - begun
            self._count(tool, outcome, record.rows, size_bytes, seconds)
            log_call(tool, outcome, record, size_bytes, seconds)
        return result

    async def _call(
        self,
        context: MiddlewareContext[Any],
        call_next: CallNext[Any, Any],
        limited: LimitExceeded | None,
    ) -> ToolResult:
        if limited is not None:
            return build_failure(limited)
        try:
            result: ToolResult = await call_next(context)
        except ValidationError as error:
            return build_failure(describe_arguments(context.message.name, error))
        return result

    def _count(
        self, tool: str, outcome: str, rows: int, size_bytes: int, seconds: float
    ) -> None:
        failed = outcome != "ok"
        self._metrics.observe(
            "tools/call", tool, seconds, "tool_error" if failed else ""
        )
        if failed:
            self._metrics.count_failure(tool, outcome)
        else:
            self._metrics.count_result(tool, rows, size_bytes)


def build_rate_key(client: Client) -> str:
    """Return the key of the bucket: by session, else by address."""
    return f"{client.principal}\n{client.session or client.address}"


def build_limiters(config: LimitsConfig) -> RateLimiters:
    """Make the limits of each session, and of each client if there is one."""
    limiter = RateLimiter(config.requests_per_second, config.burst)
    limiters: list[tuple[RateLimiter, BuildKey]] = [(limiter, build_rate_key)]
    each = config.per_client
    if each is not None:
        limiter = RateLimiter(each.requests_per_second, each.burst)
        limiters.append((limiter, find_share))
    return limiters


def describe_outcome(result: ToolResult) -> str:
    """Return `ok`, or the kind of the failure."""
    if not result.is_error:
        return "ok"
    details = (result.meta or {}).get(ERROR_META, {})
    return str(details.get("kind", "internal"))


def measure(result: ToolResult) -> int:
    """Return the size of the text that the client gets."""
    return sum(len(getattr(block, "text", "")) for block in result.content)


def describe_arguments(tool: str, error: ValidationError) -> BadArgument:
    """Say which arguments are wrong, in words for a model."""
    cause = error.__cause__
    if not isinstance(cause, PydanticValidationError):
        return BadArgument(f"The arguments of {tool} are not valid.")
    return describe_problems(tool, cause)


def log_call(
    tool: str, outcome: str, record: CallRecord, size_bytes: int, seconds: float
) -> None:
    """Write the audit line: who did what, how it went; no statement and no value."""
    client = current_client()
    audit.info(
        "tool call",
        client=client.principal,
        address=client.address,
        session=client.session[:12],
        tool=tool[:128],
        statement=record.fingerprint,
        rows=record.rows,
        bytes=size_bytes,
        duration_ms=round(seconds * 1000, 1),
        outcome=outcome,
        **({"refusal": record.refusal} if record.refusal else {}),
    )
