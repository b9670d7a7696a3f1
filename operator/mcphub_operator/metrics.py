"""The operator's own metrics, in a registry of their own.

Names follow Prometheus' practice: base units, `_total`, few label sets, all of them
there from the start.
"""

from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
)

from mcphub_operator.client.api import Request

WRITES = frozenset({"apply", "patch", "create", "delete", "update"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """What the operator counts."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._passes = Counter(
            "mcphub_operator_reconciles",
            "Reconciles of hubs, by result",
            ["result"],
            registry=registry,
        )
        self._seconds = Histogram(
            "mcphub_operator_reconcile_duration_seconds",
            "Duration of a reconcile",
            buckets=BUCKETS,
            registry=registry,
        )
        self._requests = Counter(
            "mcphub_operator_api_requests",
            "Requests to the API server",
            ["verb", "result"],
            registry=registry,
        )
        self._writes = Counter(
            "mcphub_operator_writes",
            "Writes to the API server",
            ["kind"],
            registry=registry,
        )
        self._write_failures = Counter(
            "mcphub_operator_write_failures",
            "Writes that the API server refused or did not answer",
            ["kind", "reason"],
            registry=registry,
        )
        self._writes_held_back = Counter(
            "mcphub_operator_writes_held_back",
            "Writes not made because another party keeps changing the object",
            ["kind"],
            registry=registry,
        )
        self.queue_depth = Gauge(
            "mcphub_operator_queue_depth",
            "Hubs that wait for a reconcile",
            registry=registry,
        )
        self.queue_age = Gauge(
            "mcphub_operator_queue_oldest_age_seconds",
            "How long the oldest hub in the queue has waited",
            registry=registry,
        )
        self.leader = Gauge(
            "mcphub_operator_leader",
            "Whether this replica is the leader (1) or a standby (0)",
            registry=registry,
        )
        self._namespaces = Gauge(
            "mcphub_operator_namespace_served",
            "Whether the operator serves a namespace of its settings (1) or not (0)",
            ["namespace"],
            registry=registry,
        )
        self.hubs_left = Gauge(
            "mcphub_operator_hubs_of_another_installation",
            "Hubs that another installation of the operator keeps",
            registry=registry,
        )
        self._hubs = Gauge(
            "mcphub_operator_hubs",
            "Hubs by condition",
            ["condition", "status"],
            registry=registry,
        )
        for result in ("success", "error"):
            self._passes.labels(result)

    def reconciled(self, seconds: float, *, failed: bool) -> None:
        """Count a pass."""
        self._passes.labels("error" if failed else "success").inc()
        self._seconds.observe(seconds)

    def requested(self, request: Request) -> None:
        """Count a request."""
        result = request.error or str(request.status)
        self._requests.labels(request.verb, result).inc()
        if request.verb in WRITES and request.error:
            self._write_failures.labels(request.kind, request.error).inc()
        elif request.verb in WRITES:
            self._writes.labels(request.kind).inc()

    def held_back(self, kind: str) -> None:
        """Count a write that the budget of its object did not allow."""
        self._writes_held_back.labels(kind).inc()

    def note_namespace(self, namespace: str, *, served: bool) -> None:
        """Set whether a namespace is served."""
        self._namespaces.labels(namespace).set(served)

    def count_hubs(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Set the number of hubs for each condition and status."""
        self._hubs.clear()
        for (condition, status), count in counts.items():
            self._hubs.labels(condition, status).set(count)
