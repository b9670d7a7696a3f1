"""A receiver of OTLP over HTTP, as a collector has: it decodes what it is sent."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

WAIT_SECONDS = 100.0
STEP_SECONDS = 0.02


@dataclass(frozen=True)
class SeenSpan:
    """A span as it was received."""

    trace: str
    id: str
    parent: str
    name: str
    kind: int
    failed: bool
    attributes: dict[str, object]
    resource: dict[str, object]


@dataclass
class Receiver:
    """What was received, and how the receiver behaves.

    Attributes:
        status: What it answers.
        released: It answers only while this is set.
    """

    url: str = ""
    status: int = 200
    released: threading.Event = field(default_factory=threading.Event)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)

    @property
    def spans(self) -> list[SeenSpan]:
        """All spans so far."""
        return [span for body in list(self.bodies) for span in decode(body)]

    def wait_for(self, is_there: Callable[[list[SeenSpan]], object]) -> list[SeenSpan]:
        """Return the spans once they are as awaited."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not is_there(spans := self.spans):
            if time.monotonic() > deadline:
                names = [(span.name, span.trace[:8]) for span in spans]
                raise AssertionError(f"still waiting; received: {names}")
            time.sleep(STEP_SECONDS)
        return spans


def decode(body: bytes) -> Iterator[SeenSpan]:
    """Yield the spans of a request."""
    request = ExportTraceServiceRequest.FromString(body)
    for group in request.resource_spans:
        resource = read_attributes(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield SeenSpan(
                    trace=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    name=span.name,
                    kind=span.kind,
                    failed=span.status.code == 2,
                    attributes=read_attributes(span.attributes),
                    resource=resource,
                )


def read_attributes(attributes: object) -> dict[str, object]:
    """Return attributes as plain values."""
    return {
        each.key: getattr(each.value, str(each.value.WhichOneof("value")))
        for each in attributes  # type: ignore[attr-defined]
    }


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive until the block ends."""
    receiver = Receiver()
    receiver.released.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.asked.set()
            receiver.released.wait(WAIT_SECONDS)
            receiver.headers.append({k.lower(): v for k, v in self.headers.items()})
            if receiver.status == 200 and self.path == "/v1/traces":
                receiver.bodies.append(body)
            try:
                self.send_response(receiver.status)
                self.send_header("content-length", "0")
                self.end_headers()
            except OSError:
                pass  # the exporter gave up

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.released.set()
            server.shutdown()
            thread.join()
