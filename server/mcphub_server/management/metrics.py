"""The metrics for Prometheus; every label has a bounded set of values.

Names follow OpenTelemetry's conventions for MCP where there are some, so dashboards
for other servers work. Each label set costs time on the event loop at every scrape
(about a quarter of a millisecond with these buckets): so tools and outcomes only,
never a client, a session or an address.
"""

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder

from mcphub_server.auth.refusals import Refusal
from mcphub_server.backends.health import BackendMonitor
from mcphub_server.management.live_metrics import LiveCollector
from mcphub_server.spans import find_trace_id
from mcphub_server.traffic.state import ServerState

BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)

WAIT_BUCKETS = (0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)

METHODS = frozenset(
    {
        "completion/complete",
        "initialize",
        "logging/setLevel",
        "ping",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/subscribe",
        "resources/templates/list",
        "resources/unsubscribe",
        "server/discover",
        "subscriptions/listen",
        "tools/call",
        "tools/list",
    }
)
OTHER = "other"

OPENMETRICS = "application/openmetrics-text"


class Metrics:
    """The metrics of one replica, in a registry of their own."""

    def __init__(self, version: str, tools: frozenset[str] = frozenset()) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._tools = tools
        self._durations = Histogram(
            "mcp_server_operation_duration_seconds",
            "Time from a request's arrival at its handler to its answer.",
            ("mcp_method_name", "gen_ai_tool_name", "error_type"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._calls = self._counter(
            "mcphub_tool_calls", "Calls, by their outcome.", "tool", "outcome"
        )
        self._failures = self._counter(
            "mcphub_tool_failures", "Calls that failed, by kind.", "tool", "kind"
        )
        self._refusals = self._counter(
            "mcphub_guard_refusals", "Calls that a guard refused, by its rule.", "rule"
        )
        self._rows = self._counter(
            "mcphub_result_rows", "Rows of results returned.", "tool"
        )
        self._bytes = self._counter(
            "mcphub_result_bytes", "Bytes of results returned.", "tool"
        )
        self._limited = self._counter(
            "mcphub_requests_limited", "Requests refused by a limit.", "limit"
        )
        self._auth_failures = self._counter(
            "mcphub_auth_failures",
            "Requests without a valid credential.",
            "reason",
        )
        self._authentications = self._counter(
            "mcphub_authentications", "Requests whose credential was accepted."
        )
        self._slot_wait = Histogram(
            "mcphub_slot_wait_seconds",
            "How long calls waited for one of the replica's places.",
            buckets=WAIT_BUCKETS,
            registry=self.registry,
        )
        self._pool_wait = Histogram(
            "mcphub_pool_wait_seconds",
            "How long calls and checks waited for their turn to use a connection.",
            ("backend",),
            buckets=WAIT_BUCKETS,
            registry=self.registry,
        )
        self._configuration = Gauge(
            "mcphub_configuration_applied_timestamp_seconds",
            "When the configuration in force was applied, by its file.",
            ("file",),
            registry=self.registry,
        )
        self._configuration.labels("hub.yaml").set_to_current_time()
        ProcessCollector(registry=self.registry)
        Info("mcphub_build", "Version of the server.", registry=self.registry).info(
            {"version": version}
        )
        for limit in ("rate", "concurrency", "pool", "body", "unread"):
            self._limited.labels(limit)
        for reason in Refusal:
            self._auth_failures.labels(reason)

    def register_tools(self, tools: Iterable[str]) -> None:
        """Set which tool names may become label values."""
        self._tools = frozenset(tools)

    def watch(self, monitors: Sequence[BackendMonitor], state: ServerState) -> None:
        """Read these at each scrape, and measure how long their callers wait."""
        self.registry.register(LiveCollector(monitors, state))
        for monitor in monitors:
            shares = monitor.backend.shares
            if shares is not None:
                shares.on_wait = self._pool_wait.labels(monitor.backend.name).observe

    def follow_live(self, applied_at: Callable[[], float]) -> None:
        """Show when the live configuration in force was applied."""
        self._configuration.labels("live.yaml").set_function(applied_at)

    def find_method(self, method: str | None) -> str:
        """Return the name by which a method is counted."""
        return method if method in METHODS else OTHER

    def find_tool(self, tool: str) -> str:
        """Return the name by which a tool is counted."""
        return tool if not tool or tool in self._tools else OTHER

    def watch_certificate(self, find_expiry: Callable[[], float]) -> None:
        """Show when the certificate in use expires, read at each scrape."""
        Gauge(
            "mcphub_certificate_expiration_timestamp_seconds",
            "When the certificate in use expires, in Unix seconds; 0 without one.",
            registry=self.registry,
        ).set_function(find_expiry)

    def observe(
        self, method: str | None, tool: str, seconds: float, error_type: str
    ) -> None:
        """Record one finished request."""
        trace_id = find_trace_id()
        self._durations.labels(
            self.find_method(method), self.find_tool(tool), error_type
        ).observe(seconds, {"trace_id": trace_id} if trace_id else None)

    def count_result(self, tool: str, rows: int, size_bytes: int) -> None:
        """Record what a call returned."""
        self._rows.labels(self.find_tool(tool)).inc(rows)
        self._bytes.labels(self.find_tool(tool)).inc(size_bytes)

    def count_call(self, tool: str, outcome: str, rule: str) -> None:
        """Record how a call ended: `ok`, or one of this project's error names.

        `rule` is the guard's, if it refused.
        """
        name = self.find_tool(tool)
        self._calls.labels(name, outcome).inc()
        if outcome != "ok":
            self._failures.labels(name, outcome).inc()
        if rule:
            self._refusals.labels(rule).inc()

    def count_limited(self, limit: str) -> None:
        """Record a refusal by the limit `rate`, `concurrency`, `pool` or `body`."""
        self._limited.labels(limit).inc()

    def count_auth_failure(self, reason: str) -> None:
        """Record a refusal; `reason` is one of `auth.refusals.Refusal`."""
        self._auth_failures.labels(reason).inc()

    def count_authentication(self) -> None:
        """Record that a credential was accepted."""
        self._authentications.inc()

    def observe_slot_wait(self, seconds: float) -> None:
        """Record how long a call waited for one of the replica's places."""
        self._slot_wait.observe(seconds)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return the exposition and its type; only OpenMetrics has exemplars."""
        wanted = OPENMETRICS if OPENMETRICS in accept else ""  # as sent, it may fail
        encode, content_type = choose_encoder(wanted)
        return encode(self.registry), content_type

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)
