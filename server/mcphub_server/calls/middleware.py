"""Limits, measures and audits every MCP request.

This is the only FastMCP middleware, because each one costs a layer of coroutines per
request. A limit refuses with a tool error or a JSON-RPC error, never with HTTP 429 or
503: a non-2xx response to a POST kills Python's SSE client.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

from fastmcp.exceptions import NotFoundError, ValidationError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import ToolResult
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolRequestParams
from pydantic import ValidationError as PydanticValidationError

from mcphub_server.calls.audit import (
    OK,
    CallRecord,
    describe_outcome,
    enter_record,
    log_call,
    measure,
)
from mcphub_server.calls.call_spans import open_call_span
from mcphub_server.calls.rate_limit import RateLimiter
from mcphub_server.config.hub import LimitsConfig
from mcphub_server.errors import BadArgument, LimitExceeded
from mcphub_server.spans import Span
from mcphub_server.tools.building import build_failure
from mcphub_server.tools.problems import describe_problems
from mcphub_server.traffic.state import ServerState
from mcphub_server.web.caller import Client, current_client, find_share
from mcphub_server.web.jsonrpc import CALL_METHOD, RATE_LIMITED

BuildKey = Callable[[Client], Hashable]
RateLimiters = Sequence[tuple[RateLimiter, BuildKey]]


class CallMetrics(Protocol):
    """What is counted here, and by which names."""

    def find_method(self, method: str | None) -> str: ...

    def find_tool(self, tool: str) -> str: ...

    def observe(
        self, method: str | None, tool: str, seconds: float, error_type: str
    ) -> None: ...

    def count_result(self, tool: str, rows: int, size_bytes: int) -> None: ...

    def count_call(self, tool: str, outcome: str, rule: str) -> None: ...

    def count_limited(self, limit: str) -> None: ...


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
        if self._state.unread.is_full(find_share(client)):
            self._metrics.count_limited("unread")
            return LimitExceeded(
                "Too many of your earlier answers wait to be read; read them first.",
                retry_after_seconds=1.0,
            )
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
        method = self._metrics.find_method(context.method)
        with open_call_span(method, "") as span:
            try:
                result = await call_next(context)
                error_type = ""
            finally:
                if error_type:
                    span.fail(error_type)
                seconds = self._clock() - begun
                self._metrics.observe(method, "", seconds, error_type)
        return result

    async def _around_tool(
        self,
        context: MiddlewareContext[Any],
        call_next: CallNext[Any, Any],
        limited: LimitExceeded | None,
    ) -> ToolResult:
        params = context.message
        tool = self._metrics.find_tool(params.name)
        with (
            enter_record() as record,
            open_call_span(CALL_METHOD, tool, params.meta) as span,
        ):
            return await self._record(context, call_next, limited, record, span)

    async def _record(
        self,
        context: MiddlewareContext[Any],
        call_next: CallNext[Any, Any],
        limited: LimitExceeded | None,
        record: CallRecord,
        span: Span,
    ) -> ToolResult:
        begun = self._clock()
        outcome, size_bytes = "cancelled", 0
        tool = context.message.name
        try:
            with self._state.call():
                result = await self._call(context, call_next, limited)
            outcome, record.rule = describe_outcome(result)
            size_bytes = measure(result)
            self._state.hold_answer(size_bytes)
        except NotFoundError:
            record.refusal = self._explain(tool)
            outcome = "forbidden" if record.refusal else "unknown_tool"
            raise
        finally:
            seconds = self._clock() - begun
            if outcome != OK:
                span.fail(outcome)
            self._count(tool, outcome, record, size_bytes, seconds)
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
        self,
        tool: str,
        outcome: str,
        record: CallRecord,
        size_bytes: int,
        seconds: float,
    ) -> None:
        failed = outcome != OK
        self._metrics.observe(
            CALL_METHOD, tool, seconds, "tool_error" if failed else ""
        )
        self._metrics.count_call(tool, outcome, record.rule)
        if not failed:
            self._metrics.count_result(tool, record.rows, size_bytes)


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


def describe_arguments(tool: str, error: ValidationError) -> BadArgument:
    """Say which arguments are wrong, in words for a model."""
    cause = error.__cause__
    if not isinstance(cause, PydanticValidationError):
        return BadArgument(f"The arguments of {tool} are not valid.")
    return describe_problems(tool, cause)
