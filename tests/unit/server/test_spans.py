"""Spans cost nothing while traces are off."""

import subprocess
import sys

from mcphub_server.spans import NO_SPAN, Kind, find_trace_id, inject, open_span

PROGRAM = """
import asyncio, sys
from mcphub_server.app import build_hub
from mcphub_server.config.hub import HubConfig
from mcphub_server.config.runtime import RuntimeSettings

async def main():
    hub = build_hub(HubConfig(), RuntimeSettings(keys_dir=sys.argv[1]))
    assert hub.tracing is None

asyncio.run(main())
loaded = {"requests", "opentelemetry.sdk", "opentelemetry.exporter"} & set(sys.modules)
sys.exit(f"imported: {loaded}" if loaded else 0)
"""


def test_without_traces_every_span_is_the_same_object() -> None:
    headers = [(b"host", b"hub")]

    with open_span(Kind.CLIENT, "forward") as span:
        span.set("a", 1)
        span.fail("error")
        opened = open_span(Kind.INTERNAL, "wait")

    assert span is opened is NO_SPAN
    assert find_trace_id() == ""
    assert inject(headers) is headers


def test_without_traces_no_exporter_is_imported(tmp_path) -> None:
    (tmp_path / "state").write_text("k" * 32)

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
