"""An OpenTelemetry Collector between a hub and Jaeger, as administrators run it."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.traces.programs import Process, running_program


@dataclass(frozen=True, slots=True)
class Collector:
    """A running collector."""

    url: str
    process: Process

    def hang(self) -> None:
        """Take connections and answer nothing, until `go_on`."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Answer again."""
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def running_collector(
    folder: Path, port: int, targets: Sequence[str] = ()
) -> Iterator[Collector]:
    """Run one that hands on each span to every target, as it came."""
    url = f"http://127.0.0.1:{port}"
    config = build_config(port, targets)
    with running_program("otelcol", folder, config, f"{url}/v1/traces") as process:
        yield Collector(url, process)


def build_config(port: int, targets: Sequence[str]) -> dict[str, Any]:
    """Return the collector's configuration."""
    exporters = {
        f"otlp_http/{number}": {"endpoint": target, "compression": "none"}
        for number, target in enumerate(targets)
    }
    protocols = {"http": {"endpoint": f"127.0.0.1:{port}"}}
    return {
        "receivers": {"otlp": {"protocols": protocols}},
        "exporters": exporters,
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": [*exporters]}},
        },
    }
