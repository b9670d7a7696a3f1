"""What Jaeger shows of a call and of a pass, behind a real collector."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping

import httpx2
import pytest
import pytest_asyncio
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Tracer, format_trace_id
from opentelemetry.trace.propagation.tracecontext import (
    TraceContextTextMapPropagator,
)
from prometheus_client import CollectorRegistry

from mcphub_operator.tracing.factory import build_tracing
from tests.support import postgres
from tests.support.otlp import Receiver, SeenSpan
from tests.support.postgres import running_postgres
from tests.support.replicas.fork_server import ForkServer
from tests.support.replicas.hub import ReplicatedHub, running_hub
from tests.support.running_operator import World, running_operator
from tests.support.traces.collector import Collector
from tests.support.traces.jaeger import Jaeger, Shown
from tests.support.waiting import wait_until

CANARY = "canary4711"
TOKEN = "token-ann-4711-x"
HEADERS = {
    "authorization": f"Bearer {TOKEN}",
    "accept": "application/json, text/event-stream",
}
CALL = "tools/call postgres_query"
DATABASE = f"postgresql {postgres.DATABASE}"
CLIENT = "answer a question"
REVISION = "2025-11-25"
module_loop = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def tracer(collector: Collector) -> Iterator[Tracer]:
    """The tracer of an application that calls the hub, and sends its own spans."""
    resource = Resource.create({"service.name": "assistant"})
    provider = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(f"{collector.url}/v1/traces")
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider.get_tracer("tests")
    provider.shutdown()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(
    fork_server: ForkServer,
    collector: Collector,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[ReplicatedHub]:
    """Two replicas that send their spans to the collector."""
    folder = tmp_path_factory.mktemp("hub")
    (folder / "postgres").mkdir()
    (folder / "postgres" / "username").write_text(postgres.READER)
    (folder / "postgres" / "password").write_text(postgres.READER_PASSWORD)
    with running_postgres() as shop:
        options = {"host": shop.host, "port": shop.port, "database": postgres.DATABASE}
        config = {
            "backends": [{"name": "postgres", "postgres": options}],
            "observability": {"otlp": {"endpoint": collector.url}},
        }
        async with running_hub(fork_server, folder, 2, config=config) as running:
            yield running


def request(method: str, **params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def query(sql: str) -> dict[str, object]:
    return request("tools/call", name="postgres_query", arguments={"sql": sql})


async def open_session(http: httpx2.AsyncClient, url: str) -> dict[str, str]:
    opening = request(
        "initialize",
        protocolVersion=REVISION,
        capabilities={},
        clientInfo={"name": CANARY, "version": "1"},
    )
    answer = await http.post(f"{url}/mcp", json=opening)
    assert answer.status_code == 200, answer.text
    session = answer.headers["mcp-session-id"]
    return {"mcp-session-id": session, "mcp-protocol-version": REVISION}


async def post_traced(
    http: httpx2.AsyncClient,
    tracer: Tracer,
    url: str,
    message: Mapping[str, object],
    **headers: str,
) -> tuple[str, str]:
    """Post within a span of the client; return the trace's id and the answer."""
    with tracer.start_as_current_span(CLIENT) as span:
        TraceContextTextMapPropagator().inject(headers)
        answer = await http.post(f"{url}/mcp", json=message, headers=headers)
    assert answer.status_code == 200, answer.text
    return format_trace_id(span.get_span_context().trace_id), answer.text


async def collect(jaeger: Jaeger, trace: str, *names: str) -> list[Shown]:
    """Return a trace once as many spans of these names have arrived, in any order."""

    async def has_arrived() -> bool:
        spans = await asyncio.to_thread(jaeger.find_trace, trace)
        return Counter(names) <= Counter(span.name for span in spans)

    await wait_until(has_arrived)
    return jaeger.find_trace(trace)


def climb(spans: list[Shown], name: str) -> list[Shown]:
    """Return the span of that name and those above it, up to the trace's root."""
    by_id = {span.id: span for span in spans}
    (way,) = [[span] for span in spans if span.name == name]
    while way[-1].parent:
        way.append(by_id[way[-1].parent])
    return way


@module_loop
async def test_a_call_through_two_replicas_is_one_trace(
    hub: ReplicatedHub, jaeger: Jaeger, tracer: Tracer
) -> None:
    owner, other = hub.replicas
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        session = await open_session(http, hub.at(owner))
        trace, answer = await post_traced(
            http, tracer, hub.at(other), query("SELECT 4711 AS n"), **session
        )
        spans = await collect(
            jaeger, trace, "POST /mcp", "POST /mcp", "forward", CALL, DATABASE, CLIENT
        )

    assert "[[4711]]" in answer  # as JSON, or in an event of a stream
    way = climb(spans, DATABASE)
    assert [span.name for span in way] == [
        DATABASE,
        CALL,
        "POST /mcp",
        "forward",
        "POST /mcp",
        CLIENT,
    ]
    assert [span.service for span in way] == [*["team-data"] * 5, "assistant"]
    pods = [span.process.get("k8s.pod.name") for span in way]
    assert pods == [*[owner.uid] * 3, *[other.uid] * 2, None]
    assert way[0].tags["db.system.name"] == "postgresql"


@module_loop
async def test_nothing_that_a_client_sent_is_shown_or_handed_on(
    hub: ReplicatedHub, jaeger: Jaeger, copy: Receiver, tracer: Tracer
) -> None:
    owner, other = hub.replicas
    statements = [
        f"SELECT '{CANARY}'",
        f"SELECT {CANARY} FROM sales.orders",  # noqa: S608 -- for the refusal
        f"DELETE FROM {CANARY}",  # noqa: S608 -- for the refusal
        f"SELECT ('{CANARY}' || 'x')::int",
    ]
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        session = await open_session(http, hub.at(owner))
        traces = [
            (await post_traced(http, tracer, hub.at(other), query(sql), **session))[0]
            for sql in statements
        ]
        for trace in traces:
            await collect(jaeger, trace, "POST /mcp", "POST /mcp", CALL)

    def has_all(spans: list[SeenSpan]) -> bool:
        return set(traces) <= {span.trace for span in spans if span.name == CALL}

    await asyncio.to_thread(copy.wait_for, has_all)
    shown = b"".join(jaeger.read(f"traces/{trace}") for trace in traces)
    secrets = (CANARY, TOKEN, postgres.READER_PASSWORD, session["mcp-session-id"])
    for exported in (shown, b"".join(copy.bodies)):
        assert b"query_failed" in exported
        for secret in (*secrets, "SELECT", "DELETE"):
            assert secret.encode() not in exported, secret


async def test_a_pass_of_the_operator_is_one_trace_with_its_requests(
    world: World,
    jaeger: Jaeger,
    collector: Collector,
    copy: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    tracing = build_tracing(CollectorRegistry())
    async with running_operator(world, tracing) as running:
        await world.apply_hub("traced")
        await running.settle()
        tracing.close()

    def find(spans: list[SeenSpan]) -> list[str]:
        return [
            span.trace
            for span in spans
            if span.name == "apply Deployment"
            and span.resource.get("service.name") == "mcphub-operator"
        ]

    trace = find(await asyncio.to_thread(copy.wait_for, find))[0]
    spans = await collect(jaeger, trace, "reconcile", "apply Deployment")
    way = climb(spans, "apply Deployment")
    assert [span.name for span in way] == ["apply Deployment", "reconcile"]
    assert {span.service for span in spans} == {"mcphub-operator"}
    assert way[1].tags["mcphub.hub"] == "traced"
