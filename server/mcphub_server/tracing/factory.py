"""Makes the traces of a hub, if its configuration asks for them."""

from collections.abc import Callable
from typing import Any, Protocol

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from mcphub_server.config.hub import OtlpConfig
from mcphub_server.config.runtime import RuntimeSettings


class Tracing(Protocol):
    """Traces that are on."""

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return the layer that begins the trace of each request."""

    def render(self) -> dict[str, Any]:
        """Return what `/status` says of the export."""

    async def close(self) -> None:
        """Send what there still is, within a few seconds."""


def build_tracing(
    config: OtlpConfig,
    runtime: RuntimeSettings,
    registry: CollectorRegistry,
    on_change: Callable[[], None],
) -> Tracing | None:
    """Make the traces; None if they are off.

    Args:
        config: Where spans go.
        runtime: Whose they are.
        registry: Counts what was exported and dropped.
        on_change: Called in the event loop when the export's state changed.
    """
    if not config.endpoint:
        return None
    # OpenTelemetry's SDK takes 15 MiB, which hubs without traces need not pay
    from mcphub_server.tracing.otlp import OtlpTracing  # noqa: PLC0415

    return OtlpTracing(config, runtime, registry, on_change)
