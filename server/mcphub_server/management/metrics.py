"""The metrics for Prometheus; every label has a bounded set of values.

Names follow OpenTelemetry's conventions for MCP where there are some, so dashboards
for other servers work. Each label set costs time on the event loop at every scrape
(about a quarter of a millisecond with these buckets): so tools and outcomes only,
never a client, a session or an address.
"""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mcphub_server.auth.refusals import Refusal
from mcphub_server.backends.base import BackendState
from mcphub_server.backends.health import BackendMonitor
from mcphub_server.traffic.state import ServerState

BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)

METHODS = frozenset(
    {
        "initialize",
        "ping",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "server/discover",
        "tools/call",
        "tools/list",
    }
)
OTHER = "other"


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
        self._failures = self._counter(
            "mcphub_tool_failures", "Calls that failed, by kind.", "tool", "kind"
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
        Info("mcphub_build", "Version of the server.", registry=self.registry).info(
            {"version": version}
        )
        for limit in ("rate", "concurrency", "pool", "body"):
            self._limited.labels(limit)
        for reason in Refusal:
            self._auth_failures.labels(reason)

    def register_tools(self, tools: Iterable[str]) -> None:
        """Set which tool names may become label values."""
        self._tools = frozenset(tools)

    def watch(self, monitors: Sequence[BackendMonitor], state: ServerState) -> None:
        """Read these at each scrape."""
        self.registry.register(LiveCollector(monitors, state))

    def observe(
        self, method: str | None, tool: str, seconds: float, error_type: str
    ) -> None:
        """Record one finished request."""
        name = method if method in METHODS else OTHER
        self._durations.labels(name, self._tool(tool), error_type).observe(seconds)

    def count_result(self, tool: str, rows: int, size_bytes: int) -> None:
        """Record what a call returned."""
        self._rows.labels(self._tool(tool)).inc(rows)
        self._bytes.labels(self._tool(tool)).inc(size_bytes)

    def count_failure(self, tool: str, kind: str) -> None:
        """Record why a call failed; `kind` is one of this project's error names."""
        self._failures.labels(self._tool(tool), kind).inc()

    def count_limited(self, limit: str) -> None:
        """Record a refusal by the limit `rate`, `concurrency`, `pool` or `body`."""
        self._limited.labels(limit).inc()

    def count_auth_failure(self, reason: str) -> None:
        """Record a refusal; `reason` is one of `auth.refusals.Refusal`."""
        self._auth_failures.labels(reason).inc()

    def render(self) -> bytes:
        """Return the exposition text."""
        return generate_latest(self.registry)

    def _tool(self, name: str) -> str:
        return name if not name or name in self._tools else OTHER

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)


class LiveCollector(Collector):
    """Gauges that are read when Prometheus asks, and cost nothing in between."""

    def __init__(self, monitors: Sequence[BackendMonitor], state: ServerState) -> None:
        self._monitors = monitors
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """Yield the state of backends, pools, circuits and of the replica."""
        yield from self._collect_backends()
        state = self._state
        for name, text, value in (
            (
                "mcphub_sessions",
                "Streams open now; a session on /mcp counts as half of one.",
                state.occupied,
            ),
            (
                "mcphub_sessions_limit",
                "Streams from which on new sessions are redirected to other replicas.",
                state.capacity.comfortable,
            ),
            ("mcphub_calls_in_flight", "Tool calls running now.", state.calls),
            ("mcphub_draining", "1 while the replica drains.", int(state.draining)),
        ):
            yield GaugeMetricFamily(name, text, value=value)
        rejected = CounterMetricFamily(
            "mcphub_sessions_rejected",
            "New sessions that this replica redirected or refused.",
            labels=("outcome",),
        )
        rejected.add_metric(("redirected",), state.redirected)
        rejected.add_metric(("refused",), state.refused)
        yield rejected

    def _collect_backends(self) -> Iterator[Metric]:
        state = GaugeMetricFamily(
            "mcphub_backend_state",
            "1 for the state that a backend is in.",
            labels=("backend", "type", "state"),
        )
        circuit = GaugeMetricFamily(
            "mcphub_backend_circuit_open",
            "1 while calls to a backend are refused.",
            labels=("backend",),
        )
        connections = GaugeMetricFamily(
            "mcphub_backend_connections",
            "Connections of a backend's pool, by state.",
            labels=("backend", "state"),
        )
        most = GaugeMetricFamily(
            "mcphub_backend_connections_max",
            "Connections that a backend's pool may hold.",
            labels=("backend",),
        )
        for monitor in self._monitors:
            name, kind = monitor.backend.name, monitor.backend.kind
            current = monitor.observation.health.state
            for known in BackendState:
                state.add_metric((name, kind, known.value), int(known is current))
            circuit.add_metric((name,), int(monitor.breaker.is_open))
            usage = monitor.backend.pool_usage()
            if usage is not None:
                connections.add_metric((name, "used"), usage.in_use)
                connections.add_metric((name, "idle"), usage.size - usage.in_use)
                most.add_metric((name,), usage.limit)
        yield from (state, circuit, connections, most)
