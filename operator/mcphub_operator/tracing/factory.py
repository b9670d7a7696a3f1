"""Makes the operator's traces, if its environment names a collector.

The variables are those of OpenTelemetry's SDK, which reads the others itself: headers,
sampler, resource attributes.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from prometheus_client import CollectorRegistry

from mcphub_operator.client.api import Request
from mcphub_operator.observed import HubKey

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

Fail = Callable[[], None]
"""Marks the pass that runs as failed."""


class Tracing(Protocol):
    """Traces that are on."""

    def reconciling(self, hub: HubKey) -> AbstractContextManager[Fail]:
        """Record a pass over a hub."""

    def requested(self, request: Request) -> None:
        """Record a request that has ended, below the pass that made it."""

    def close(self) -> None:
        """Send what there still is, within a few seconds."""


def has_collector(environment: Mapping[str, str]) -> bool:
    """Tell whether the environment asks for traces."""
    return any(environment.get(name) for name in ENDPOINTS)


def build_tracing(registry: CollectorRegistry) -> Tracing:
    """Make the traces; the registry counts what was exported and dropped."""
    # OpenTelemetry's SDK takes 15 MiB, which an operator without traces need not pay
    from mcphub_operator.tracing.otlp import OtlpTracing  # noqa: PLC0415

    return OtlpTracing(registry)
