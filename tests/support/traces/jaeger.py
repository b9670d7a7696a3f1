"""Jaeger, with the traces in its memory, and what its query API says of them."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.traces.programs import running_program
from tools.ports import reserve_ports

TIMEOUT_SECONDS = 100.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A span as Jaeger shows it."""

    id: str
    parent: str
    name: str
    service: str
    tags: Mapping[str, object]
    process: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Jaeger:
    """A running Jaeger.

    Attributes:
        url: Where it takes spans, by OTLP.
        query_url: Where it shows them.
    """

    url: str
    query_url: str

    def read(self, path: str) -> bytes:
        """Return what the query API answers; nothing if it knows no such thing."""
        try:
            address = f"{self.query_url}/api/{path}"
            with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return b'{"data": []}'

    def find_trace(self, trace: str) -> list[Shown]:
        """Return the spans of a trace that have arrived."""
        return [
            shown
            for each in json.loads(self.read(f"traces/{trace}"))["data"]
            for shown in parse_trace(each)
        ]


def parse_trace(trace: Mapping[str, Any]) -> Iterator[Shown]:
    """Yield the spans of a trace as the query API writes it."""
    for span in trace["spans"]:
        process = trace["processes"][span["processID"]]
        parents = [each["spanID"] for each in span.get("references", [])]
        yield Shown(
            id=span["spanID"],
            parent="".join(parents[:1]),
            name=span["operationName"],
            service=process["serviceName"],
            tags=read_tags(span["tags"]),
            process=read_tags(process.get("tags", [])),
        )


def read_tags(tags: list[dict[str, object]]) -> dict[str, object]:
    """Return tags as a mapping."""
    return {str(tag["key"]): tag["value"] for tag in tags}


@contextmanager
def running_jaeger(folder: Path) -> Iterator[Jaeger]:
    """Run one until the block ends."""
    ports = reserve_ports(3)
    addresses = [f"127.0.0.1:{port}" for port in ports]
    url, query_url = f"http://{addresses[0]}", f"http://{addresses[1]}"
    config = build_config(*addresses)
    with running_program("jaeger", folder, config, f"{query_url}/api/services"):
        yield Jaeger(url, query_url)


def build_config(otlp: str, query: str, grpc: str) -> dict[str, Any]:
    """Return Jaeger's configuration."""
    return {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": otlp}}}},
        "exporters": {"jaeger_storage_exporter": {"trace_storage": "kept"}},
        "extensions": {
            "jaeger_storage": {
                "backends": {"kept": {"memory": {"max_traces": 10_000}}}
            },
            "jaeger_query": {
                "storage": {"traces": "kept"},
                "http": {"endpoint": query},
                "grpc": {"endpoint": grpc},
            },
        },
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "extensions": ["jaeger_storage", "jaeger_query"],
            "pipelines": {
                "traces": {
                    "receivers": ["otlp"],
                    "exporters": ["jaeger_storage_exporter"],
                }
            },
        },
    }
