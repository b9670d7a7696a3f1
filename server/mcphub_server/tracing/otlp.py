"""Traces that are on: a provider of OpenTelemetry's SDK, of this hub alone.

The global provider stays unset: the MCP SDK and FastMCP would put their spans there,
with arguments, resource addresses and exception texts in them.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import structlog
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from mcphub_server.config.hub import OtlpConfig
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.config.secrets import find_secret
from mcphub_server.errors import ConfigError
from mcphub_server.tracing.exporting import (
    SENTENCES,
    BoundedSpans,
    ExportState,
    ReportingExporter,
    try_export,
)
from mcphub_server.tracing.layer import TraceLayer
from mcphub_server.version import find_version

FOLDER = "otlp-exporter"
"""Among the secrets; no backend can have this name."""

PATH = "/v1/traces"
LAST_SECONDS = 3.0
"""How long the end of the process waits for the last spans."""

BAD_HEADERS = (
    "The secret file otlp-exporter/headers must hold name=value pairs, apart by commas."
)

log = structlog.get_logger(__name__)


class OtlpTracing:
    """The traces of one hub."""

    def __init__(
        self,
        config: OtlpConfig,
        runtime: RuntimeSettings,
        registry: CollectorRegistry,
        on_change: Callable[[], None],
    ) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        loop = asyncio.get_running_loop()
        self._state = ExportState(registry, lambda: notify(loop, on_change))
        self._provider = TracerProvider(
            ParentBased(TraceIdRatioBased(config.sample_ratio)),
            build_resource(runtime),
            shutdown_on_exit=False,
        )
        self._exporter = ReportingExporter(
            build_url(config.endpoint), read_headers(runtime), self._state
        )
        self._provider.add_span_processor(BoundedSpans(self._exporter, self._state))
        self._tracer = self._provider.get_tracer("mcphub", find_version())

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return the layer that begins the trace of each request."""
        return TraceLayer(app, self._tracer)

    def render(self) -> dict[str, Any]:
        """Return what `/status` says of the export."""
        return {"tracing": self._state.render()}

    async def close(self) -> None:
        """Send the last spans, unless the endpoint has refused the ones before."""
        if self._state.is_failing:
            self._exporter.shutdown()
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        await asyncio.to_thread(last.join, LAST_SECONDS)


def notify(loop: asyncio.AbstractEventLoop, on_change: Callable[[], None]) -> None:
    """Tell the event loop, from another thread; at the end it is closed."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(on_change)


def build_resource(runtime: RuntimeSettings) -> Resource:
    """Say whose the spans are."""
    attributes = {
        "service.name": runtime.hub,
        "service.namespace": runtime.namespace,
        "service.version": find_version(),
        "service.instance.id": runtime.pod_uid,
        "k8s.namespace.name": runtime.namespace,
        "k8s.pod.name": runtime.pod_name,
        "k8s.pod.uid": runtime.pod_uid,
    }
    return Resource.create({key: value for key, value in attributes.items() if value})


def build_url(endpoint: str) -> str:
    """Return where spans are posted to; an endpoint may name the path already."""
    base = endpoint.rstrip("/")
    return base if base.endswith(PATH) else f"{base}{PATH}"


def read_headers(runtime: RuntimeSettings) -> dict[str, str]:
    """Return the headers of the secret file; none, and a log line, if it is wrong.

    Whatever is wrong with traces, the hub serves.
    """
    try:
        return load_headers(runtime)
    except ConfigError as error:
        log.warning("export without headers", problem=str(error))
        return {}


def load_headers(runtime: RuntimeSettings) -> dict[str, str]:
    """Return the headers of the secret file; raise ConfigError if it is wrong."""
    found = find_secret(runtime.secrets_dir / FOLDER / "headers")
    return parse_headers(found.get_secret_value()) if found else {}


def find_export_problem(config: OtlpConfig, runtime: RuntimeSettings) -> str:
    """Send a batch without spans; return why it was not taken, empty if it was.

    This waits for the endpoint, for `TIMEOUT_SECONDS` at most.
    """
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    try:
        headers = load_headers(runtime)
    except ConfigError as error:
        return str(error)
    reason = try_export(build_url(config.endpoint), headers)
    return "" if reason is None else SENTENCES[reason]


def parse_headers(text: str) -> dict[str, str]:
    """Read `name=value,name=value`, the values percent-encoded.

    OpenTelemetry's own parser logs what it cannot read, which here is a secret.
    """
    headers: dict[str, str] = {}
    for pair in filter(None, (each.strip() for each in text.split(","))):
        name, equals, value = pair.partition("=")
        name, value = name.strip().lower(), unquote(value.strip())
        is_token = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
        if not equals or not is_token or not value.isascii() or not value.isprintable():
            raise ConfigError(BAD_HEADERS)
        headers[name] = value
    return headers
