"""Sending spans so that no call waits for it, and so that one can tell how it goes.

The library sends batches from a thread of its own. Around it stand a bound on what may
wait there, counters, and one log line for each change of state; the library itself
would log each batch, with texts of others.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests
import structlog
import urllib3
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from prometheus_client import CollectorRegistry, Counter

from mcphub_server.errors import BackendReason

WAITING_SPANS = 4096
"""How many spans may wait to be sent: some 10 MiB."""

BATCH_SPANS = 512
DELAY_MILLISECONDS = 1000
TIMEOUT_SECONDS = 5.0
"""What one batch may take, with its repetitions."""

SENTENCES: Mapping[BackendReason, str] = {
    BackendReason.DNS_FAILURE: "the name of the endpoint does not resolve",
    BackendReason.CONNECTION_REFUSED: "the endpoint refuses connections",
    BackendReason.TIMEOUT: "the endpoint does not answer in time",
    BackendReason.TLS_FAILURE: "no trusted TLS connection to the endpoint is possible",
    BackendReason.BAD_CREDENTIALS: "the endpoint refuses the headers of the Secret",
    BackendReason.ERROR: "the endpoint does not accept the spans",
}

log = structlog.get_logger(__name__)


class ExportState:
    """How the export goes; threads share it."""

    def __init__(
        self, registry: CollectorRegistry, on_change: Callable[[], None]
    ) -> None:
        self._on_change = on_change
        self._lock = threading.Lock()
        self._waiting = 0
        self._known = False
        self._reason: BackendReason | None = None
        self._exported = Counter(
            "mcphub_spans_exported", "Spans that were sent.", registry=registry
        )
        self._dropped = Counter(
            "mcphub_spans_dropped",
            "Spans that were not sent, by reason.",
            ("reason",),
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

    def settle(self, count: int, reason: BackendReason | None) -> None:
        """Note the end of a batch; None: it was sent."""
        with self._lock:
            self._waiting -= count
            changed = not self._known or reason is not self._reason
            self._known, self._reason = True, reason
        if reason is None:
            self._exported.inc(count)
        else:
            self._dropped.labels("export_failed").inc(count)
        if changed:
            self._tell(reason)

    @property
    def is_failing(self) -> bool:
        """Whether the last batch was dropped."""
        return self._reason is not None

    def _tell(self, reason: BackendReason | None) -> None:
        if reason is None:
            log.info("spans are exported")
        else:
            log.warning(
                "spans are not exported", reason=reason.value, cause=SENTENCES[reason]
            )
        self._on_change()

    def render(self) -> dict[str, Any]:
        """Return what `/status` says."""
        reason = self._reason
        state = "Failing" if reason else "Exporting" if self._known else "Unknown"
        return {
            "state": state,
            "reason": reason.value if reason else "",
            "message": f"spans are dropped: {SENTENCES[reason]}" if reason else "",
        }


class NotingSession(requests.Session):
    """Sends a batch, and keeps why it was not taken."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False  # no proxy, no netrc
        self.reason: BackendReason = BackendReason.ERROR

    def send(self, request: Any, **options: Any) -> requests.Response:
        """Send one request."""
        try:
            response = super().send(request, **options)
        except requests.RequestException as error:
            self.reason = find_reason(error)
            raise
        denied = response.status_code in {401, 403}
        self.reason = BackendReason.BAD_CREDENTIALS if denied else BackendReason.ERROR
        return response


def find_reason(error: requests.RequestException) -> BackendReason:
    """Return why a request has failed."""
    inner = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(inner, urllib3.exceptions.NameResolutionError):
        return BackendReason.DNS_FAILURE
    if isinstance(error, requests.exceptions.SSLError):
        return BackendReason.TLS_FAILURE
    if isinstance(error, requests.Timeout):
        return BackendReason.TIMEOUT
    if isinstance(inner, urllib3.exceptions.NewConnectionError):
        return BackendReason.CONNECTION_REFUSED
    return BackendReason.ERROR


def build_exporter(
    endpoint: str, headers: Mapping[str, str], session: NotingSession
) -> OTLPSpanExporter:
    """Make the library's own exporter."""
    return OTLPSpanExporter(
        endpoint=endpoint, headers=headers, timeout=TIMEOUT_SECONDS, session=session
    )


def try_export(endpoint: str, headers: Mapping[str, str]) -> BackendReason | None:
    """Send a batch without spans, and return why it was not taken."""
    session = NotingSession()
    exporter = build_exporter(endpoint, headers, session)
    try:
        is_sent = exporter.export([]) is SpanExportResult.SUCCESS
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]
    return None if is_sent else session.reason


class ReportingExporter(SpanExporter):
    """Sends batches and notes how that went."""

    def __init__(
        self, endpoint: str, headers: Mapping[str, str], state: ExportState
    ) -> None:
        self._session = NotingSession()
        self._inner = build_exporter(endpoint, headers, self._session)
        self._state = state

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch."""
        reason: BackendReason | None = BackendReason.ERROR
        try:
            result = self._inner.export(spans)
            is_sent = result is SpanExportResult.SUCCESS
            reason = None if is_sent else self._session.reason
        finally:
            self._state.settle(len(spans), reason)
        return result

    def shutdown(self) -> None:
        """Repeat no batch any more."""
        self._inner.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Do nothing: nothing waits here."""
        return self._inner.force_flush(timeout_millis)


class BoundedSpans(SpanProcessor):
    """Hands ended spans to the thread that sends them, as many as may wait there."""

    def __init__(self, exporter: SpanExporter, state: ExportState) -> None:
        self._state = state
        self._batches = BatchSpanProcessor(
            exporter,
            max_queue_size=2 * WAITING_SPANS,  # never full: `admit` bounds it
            schedule_delay_millis=DELAY_MILLISECONDS,
            max_export_batch_size=BATCH_SPANS,
        )

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Do nothing."""

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span that is over."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._state.admit():
            self._batches.on_end(span)

    def shutdown(self) -> None:
        """Send the rest; this waits for the endpoint."""
        self._batches.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Send what waits; this waits for the endpoint."""
        return self._batches.force_flush(timeout_millis)
