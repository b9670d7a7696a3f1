"""What waits to be exported is bounded, counted, and told once for each change."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest
import requests
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from prometheus_client import CollectorRegistry

from mcphub_server.errors import BackendReason, ConfigError
from mcphub_server.tracing import exporting
from mcphub_server.tracing.exporting import (
    SENTENCES,
    BoundedSpans,
    ExportState,
    NotingSession,
)
from mcphub_server.tracing.otlp import build_url, parse_headers
from tests.support.otlp import receiving
from tools.ports import reserve_port


class HangingExporter(SpanExporter):
    """Takes no batch until it is released."""

    def __init__(self, state: ExportState) -> None:
        self.state = state
        self.released = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.released.wait(100)
        self.state.settle(len(spans), None)
        return SpanExportResult.SUCCESS


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def changes() -> list[str]:
    return []


@pytest.fixture
def state(registry: CollectorRegistry, changes: list[str]) -> ExportState:
    return ExportState(registry, lambda: changes.append("changed"))


@pytest.fixture
def exporter(state: ExportState) -> Iterator[HangingExporter]:
    exporter = HangingExporter(state)
    yield exporter
    exporter.released.set()


def test_an_exporter_that_hangs_holds_up_no_span(
    state: ExportState, exporter: HangingExporter, registry: CollectorRegistry
) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BoundedSpans(exporter, state))
    tracer = provider.get_tracer("test")

    for _ in range(exporting.WAITING_SPANS + 7):
        tracer.start_span("call").end()
    dropped = find_dropped(registry, "queue_full")
    exporter.released.set()
    provider.shutdown()

    assert dropped == 7
    exported = registry.get_sample_value("mcphub_spans_exported_total")
    assert exported == exporting.WAITING_SPANS


def find_dropped(registry: CollectorRegistry, reason: str) -> float | None:
    return registry.get_sample_value("mcphub_spans_dropped_total", {"reason": reason})


def test_a_change_of_state_is_told_once(
    state: ExportState, changes: list[str], registry: CollectorRegistry
) -> None:
    reasons = [None, None, *[BackendReason.TIMEOUT] * 3, BackendReason.ERROR, None]

    for reason in reasons:
        state.settle(2, reason)

    assert len(changes) == 4
    assert find_dropped(registry, "export_failed") == 8


def test_the_state_names_the_cause(state: ExportState) -> None:
    before = state.render()

    state.settle(1, BackendReason.DNS_FAILURE)

    assert before == {"state": "Unknown", "reason": "", "message": ""}
    assert state.render() == {
        "state": "Failing",
        "reason": "DNSFailure",
        "message": "spans are dropped: the name of the endpoint does not resolve",
    }
    assert all(SENTENCES.values())


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param("unresolvable", BackendReason.DNS_FAILURE, id="no such name"),
        pytest.param("refuses", BackendReason.CONNECTION_REFUSED, id="nothing listens"),
        pytest.param("hangs", BackendReason.TIMEOUT, id="no answer"),
        pytest.param("plain", BackendReason.TLS_FAILURE, id="no TLS"),
        pytest.param("denies", BackendReason.BAD_CREDENTIALS, id="other headers"),
        pytest.param("fails", BackendReason.ERROR, id="an error"),
    ],
)
def test_a_fault_of_the_collector_is_named(fault: str, reason: BackendReason) -> None:
    session = NotingSession()
    with receiving() as receiver:
        receiver.status = {"denies": 403, "fails": 500}.get(fault, 200)
        if fault == "hangs":
            receiver.released.clear()
        urls = {
            "unresolvable": "http://collector.no-such-name.invalid:4318",
            "refuses": f"http://127.0.0.1:{reserve_port()}",
            "plain": receiver.url.replace("http://", "https://"),
        }

        with suppress(requests.RequestException):
            wait = 0.2 if fault == "hangs" else 100
            session.post(urls.get(fault, receiver.url), data=b"", timeout=wait)

    assert session.reason is reason


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        ("http://collector:4318/", "http://collector:4318/v1/traces"),
        ("https://otlp.example.com/a", "https://otlp.example.com/a/v1/traces"),
        ("https://otlp.example.com/v1/traces", "https://otlp.example.com/v1/traces"),
    ],
)
def test_spans_are_posted_where_the_protocol_says(endpoint: str, url: str) -> None:
    assert build_url(endpoint) == url


def test_headers_are_pairs() -> None:
    given = "Authorization=Basic%20YWI%3D, x-team = ai ,"

    assert parse_headers(given) == {"authorization": "Basic YWI=", "x-team": "ai"}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("secret-4711", id="no name"),
        pytest.param("=secret-4711", id="an empty name"),
        pytest.param("a b=secret-4711", id="a name with a space"),
        pytest.param("a=secret-4711%0d%0ab: c", id="a value with a line break"),
        pytest.param("a=secret-4711é", id="a value outside ASCII"),
    ],
)
def test_what_is_no_header_is_refused_without_its_value(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_headers(text)

    assert "4711" not in str(raised.value)
    assert "name=value" in str(raised.value)
