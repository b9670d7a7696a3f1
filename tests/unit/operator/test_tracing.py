"""What the operator's spans say, and what a collector that is away costs."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from mcphub_operator.client.api import Request
from mcphub_operator.metrics import Metrics
from mcphub_operator.observed import HubKey
from mcphub_operator.reconcile.backoff import Backoff
from mcphub_operator.reconcile.queue import WorkQueue
from mcphub_operator.reconcile.reconciler import Result
from mcphub_operator.reconcile.workers import WorkerPool
from mcphub_operator.tracing.exporting import (
    WAITING_SPANS,
    BoundedSpans,
    ExportState,
)
from mcphub_operator.tracing.factory import Tracing, build_tracing
from tests.support.otlp import Receiver, receiving

KEY = HubKey("ai", "team")


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        yield receiver


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def tracing(receiver: Receiver, registry: CollectorRegistry) -> Tracing:
    assert receiver.url
    return build_tracing(registry)


def test_a_request_hangs_on_the_pass_that_made_it(
    tracing: Tracing, receiver: Receiver
) -> None:
    denied = Request("apply", "Secret", 403, 0.5, "Forbidden")

    tracing.requested(Request("list", "Secret", 200, 0.1))
    with tracing.reconciling(KEY):
        tracing.requested(denied)
    tracing.close()

    spans = receiver.wait_for(lambda spans: len(spans) == 2)
    (parent,) = [span for span in spans if span.name == "reconcile"]
    (child,) = [span for span in spans if span.name == "apply Secret"]
    assert child.parent == parent.id
    assert child.failed
    assert child.attributes == {
        "mcphub.api.verb": "apply",
        "mcphub.api.kind": "Secret",
        "http.response.status_code": 403,
        "error.type": "Forbidden",
    }
    assert not parent.failed


@pytest.mark.parametrize(
    ("end", "error_type"),
    [
        pytest.param(Result(), None, id="a good one"),
        pytest.param(Result(failed=True), "reconcile_failed", id="one that failed"),
        pytest.param(RuntimeError("secret-4711"), "reconcile_failed", id="a crash"),
    ],
)
async def test_the_span_of_a_pass_says_whether_it_failed(
    end: Result | Exception,
    error_type: str | None,
    tracing: Tracing,
    receiver: Receiver,
) -> None:
    async def reconcile(_key: HubKey) -> Result:
        if isinstance(end, Exception):
            raise end
        return end

    hubs = SimpleNamespace(find=lambda _: None)
    reconciler: Any = SimpleNamespace(
        reconcile=reconcile, sources=SimpleNamespace(hubs=hubs)
    )
    pool = WorkerPool(
        WorkQueue(float), Backoff(), reconciler, Metrics(), tracing.reconciling
    )

    await pool._try(KEY)
    tracing.close()

    (span,) = receiver.wait_for(bool)
    assert span.attributes.get("error.type") == error_type
    assert b"4711" not in b"".join(receiver.bodies)


class Refusing(SpanExporter):
    """Takes no batch."""

    def export(self, _spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.FAILURE


def test_a_collector_that_takes_nothing_is_told_once(
    registry: CollectorRegistry,
) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    state = ExportState(registry, "otel:4318")
    provider.add_span_processor(BoundedSpans(Refusing(), state))
    tracer = provider.get_tracer("test")

    with capture_logs() as logged:
        for _ in range(3):
            tracer.start_span("reconcile").end()
            provider.force_flush()

    told = [(each["event"], each["collector"]) for each in logged]
    assert told == [("spans_not_exported", "otel:4318")]
    labels = {"reason": "export_failed"}
    assert registry.get_sample_value("mcphub_operator_spans_dropped_total", labels) == 3
    provider.shutdown()


def test_no_more_spans_wait_than_may(registry: CollectorRegistry) -> None:
    state = ExportState(registry, "otel:4318")

    admitted = sum(state.admit() for _ in range(WAITING_SPANS + 3))

    assert admitted == WAITING_SPANS
    labels = {"reason": "queue_full"}
    assert registry.get_sample_value("mcphub_operator_spans_dropped_total", labels) == 3


def test_without_a_collector_no_exporter_is_imported() -> None:
    program = (
        "import sys, mcphub_operator.__main__\n"
        "sys.exit(any(name.startswith('opentelemetry.') for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
