"""Gauges that are read when Prometheus asks, and cost nothing in between."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mcphub_server.backends.base import BackendState
from mcphub_server.backends.health import BackendMonitor
from mcphub_server.traffic.state import ServerState


class LiveCollector(Collector):
    """Reads backends and the replica at each scrape."""

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
        problem = GaugeMetricFamily(
            "mcphub_backend_problem",
            "1 for the reason why a backend is not connected.",
            labels=("backend", "reason"),
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
            health = monitor.observation.health
            if health.reason is not None:
                problem.add_metric((name, health.reason.value), 1)
            for known in BackendState:
                state.add_metric((name, kind, known.value), int(known is health.state))
            circuit.add_metric((name,), int(monitor.breaker.is_open))
            usage = monitor.backend.pool_usage()
            if usage is not None:
                connections.add_metric((name, "used"), usage.in_use)
                connections.add_metric((name, "idle"), usage.size - usage.in_use)
                most.add_metric((name,), usage.limit)
        yield from (state, problem, circuit, connections, most)
