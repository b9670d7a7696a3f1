"""Traces that are on: a span for each pass over a hub, and one for each request.

Spans name verbs, kinds and the hub; never an object's content or an error's text. The
provider is not the global one, to which libraries may send spans of their own.
"""

import logging
import os
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import (
    Span,
    SpanKind,
    Status,
    StatusCode,
    set_span_in_context,
)
from prometheus_client import CollectorRegistry

from mcphub_operator import names
from mcphub_operator.client.api import Request
from mcphub_operator.observed import HubKey
from mcphub_operator.tracing.exporting import BoundedSpans, ExportState
from mcphub_operator.tracing.factory import ENDPOINTS, Fail

TIMEOUT_SECONDS = 5.0
LAST_SECONDS = 3.0
"""How long the end of the process waits for the last spans."""

_ROOT = Context()
_current: ContextVar[Span | None] = ContextVar("mcphub_operator_pass", default=None)


class OtlpTracing:
    """The traces of one operator."""

    def __init__(self, registry: CollectorRegistry) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._provider = TracerProvider(
            resource=build_resource(), shutdown_on_exit=False
        )
        exporter = OTLPSpanExporter(timeout=TIMEOUT_SECONDS)
        spans = BoundedSpans(
            exporter, ExportState(registry, find_collector(os.environ))
        )
        self._provider.add_span_processor(spans)
        self._tracer = self._provider.get_tracer(names.OPERATOR_NAME)

    @contextmanager
    def reconciling(self, hub: HubKey) -> Generator[Fail]:
        """Record a pass over a hub."""
        attributes = {"k8s.namespace.name": hub.namespace, "mcphub.hub": hub.name}
        span = self._tracer.start_span("reconcile", _ROOT, attributes=attributes)
        token = _current.set(span)
        try:
            yield lambda: _fail(span, "reconcile_failed")
        except BaseException as error:
            _fail(span, type(error).__name__)
            raise
        finally:
            _current.reset(token)
            span.end()

    def requested(self, request: Request) -> None:
        """Record a request that has ended, below the pass that made it."""
        parent = _current.get()
        if parent is None or not parent.is_recording():
            return
        ended = time.time_ns()
        span = self._tracer.start_span(
            f"{request.verb} {request.kind}".rstrip(),
            set_span_in_context(parent, _ROOT),
            SpanKind.CLIENT,
            {"mcphub.api.verb": request.verb, "mcphub.api.kind": request.kind},
            start_time=ended - int(request.seconds * 1e9),
        )
        if request.status:
            span.set_attribute("http.response.status_code", request.status)
        if request.error:
            _fail(span, request.error)
        span.end(ended)

    def close(self) -> None:
        """Send what there still is; give up on a collector that does not answer."""
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        last.join(LAST_SECONDS)


def find_collector(environment: Mapping[str, str]) -> str:
    """Return host and port of the collector, for the log: a URL may have a password."""
    found = (environment[name] for name in ENDPOINTS if environment.get(name))
    return urlsplit(next(found, "")).netloc.rpartition("@")[2]


def build_resource() -> Resource:
    """Say whose the spans are; what the environment says goes before."""
    own = {"service.name": names.OPERATOR_NAME, "service.version": version("mcphub")}
    return Resource.create(own).merge(OTELResourceDetector().detect())


def _fail(span: Span, error_type: str) -> None:
    span.set_attribute("error.type", error_type)
    span.set_status(Status(StatusCode.ERROR))
