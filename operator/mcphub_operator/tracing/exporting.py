"""Sending spans so that no pass waits for it, and so that one can tell how it goes.

The library sends batches from a thread of its own. Around it stand a bound on what may
wait there, counters, and one log line for each change of state.
"""

import threading
from collections.abc import Sequence

import structlog
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from prometheus_client import CollectorRegistry, Counter

WAITING_SPANS = 4096
DELAY_MILLISECONDS = 1000

log = structlog.get_logger(__name__)


class ExportState:
    """How the export goes; threads share it."""

    def __init__(self, registry: CollectorRegistry, collector: str) -> None:
        self._collector = collector
        self._lock = threading.Lock()
        self._waiting = 0
        self._sent: bool | None = None
        self._exported = Counter(
            "mcphub_operator_spans_exported",
            "Spans that were sent",
            registry=registry,
        )
        self._dropped = Counter(
            "mcphub_operator_spans_dropped",
            "Spans that were not sent, by reason",
            ["reason"],
            registry=registry,
        )
        for reason in ("queue_full", "export_failed"):
            self._dropped.labels(reason)

    def admit(self) -> bool:
        """Return whether one more span may wait; count it as dropped if not."""
        with self._lock:
            if self._waiting < WAITING_SPANS:
                self._waiting += 1
                return True
        self._dropped.labels("queue_full").inc()
        return False

    def settle(self, count: int, *, sent: bool) -> None:
        """Note the end of a batch."""
        with self._lock:
            self._waiting -= count
            changed, self._sent = sent is not self._sent, sent
        if sent:
            self._exported.inc(count)
        else:
            self._dropped.labels("export_failed").inc(count)
        if changed and sent:
            log.info("spans_exported", collector=self._collector)
        elif changed:
            log.warning(
                "spans_not_exported",
                collector=self._collector,
                problem="the collector does not take the spans",
            )


class ReportingExporter(SpanExporter):
    """Sends batches and notes how that went."""

    def __init__(self, inner: SpanExporter, state: ExportState) -> None:
        self._inner = inner
        self._state = state

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch."""
        sent = False
        try:
            result = self._inner.export(spans)
            sent = result is SpanExportResult.SUCCESS
        finally:
            self._state.settle(len(spans), sent=sent)
        return result

    def shutdown(self) -> None:
        """Repeat no batch any more."""
        self._inner.shutdown()


class BoundedSpans(SpanProcessor):
    """Hands ended spans to the thread that sends them, as many as may wait there."""

    def __init__(self, exporter: SpanExporter, state: ExportState) -> None:
        self._state = state
        self._batches = BatchSpanProcessor(
            ReportingExporter(exporter, state),
            max_queue_size=2 * WAITING_SPANS,  # never full: `admit` bounds it
            schedule_delay_millis=DELAY_MILLISECONDS,
        )

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Do nothing."""

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span that is over."""
        sampled = span.context is not None and span.context.trace_flags.sampled
        if sampled and self._state.admit():
            self._batches.on_end(span)

    def shutdown(self) -> None:
        """Send the rest; this waits for the collector."""
        self._batches.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Send what waits; this waits for the collector."""
        return self._batches.force_flush(timeout_millis)
