"""A client's call is one trace, whichever replicas it passes and however it came."""

import asyncio
import secrets
from collections import Counter

import httpx2
import pytest
import pytest_asyncio

from tests.support import postgres
from tests.support.otlp import receiving
from tests.support.postgres import running_postgres
from tests.support.replicas.hub import running_hub

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLIENT = "b7ad6b7169203331"
CANARY = "canary4711"
STATEMENT = f"SELECT '{CANARY}'"
TOKEN = "token-ann-4711-x"
HEADERS = {
    "authorization": f"Bearer {TOKEN}",
    "accept": "application/json, text/event-stream",
}
TRANSPORTS = ("http", "modern", "sse", "websocket")
CALL = "tools/call postgres_query"
DATABASE = f"postgresql {postgres.DATABASE}"


def request(method, number=1, **params):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def call(sql=STATEMENT, tool="postgres_query", **params):
    return request("tools/call", 2, name=tool, arguments={"sql": sql}, **params)


OPENING = request(
    "initialize",
    protocolVersion="2025-11-25",
    capabilities={},
    clientInfo={"name": CANARY, "version": CANARY},
)


@pytest.fixture(scope="module")
def shop():
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def receiver():
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def trace():
    """The id of the trace that the test's client begins."""
    return secrets.token_hex(16)


@pytest.fixture
def parent(trace):
    """What the client sends of it."""
    return f"00-{trace}-{CLIENT}-01"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(fork_server, tmp_path_factory, shop, receiver):
    """Two replicas with traces on."""
    tmp_path = tmp_path_factory.mktemp("hub")
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "username").write_text(postgres.READER)
    (tmp_path / "postgres" / "password").write_text(postgres.READER_PASSWORD)
    (tmp_path / "otlp-exporter").mkdir()
    (tmp_path / "otlp-exporter" / "headers").write_text("x-key=a%20secret,x-team=ai\n")
    backend = {"host": shop.host, "port": shop.port, "database": postgres.DATABASE}
    config = {
        "backends": [{"name": "postgres", "postgres": backend}],
        "observability": {"otlp": {"endpoint": receiver.url}},
    }
    async with running_hub(fork_server, tmp_path, 2, config=config) as hub:
        yield hub


async def open_session(http, url):
    answer = await http.post(f"{url}/mcp", json=OPENING)
    assert answer.status_code == 200, answer.text
    return {
        "mcp-session-id": answer.headers["mcp-session-id"],
        "mcp-protocol-version": "2025-11-25",
    }


async def post(http, url, message, **headers):
    answer = await http.post(f"{url}/mcp", json=message, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


async def collect(receiver, trace, *names):
    """Return the spans of a trace once there are as many of these names.

    A replica sends its spans in the order in which they end; two replicas in any.
    """

    def is_there(spans):
        found = Counter(span.name for span in spans if span.trace == trace)
        return Counter(names) <= found

    spans = await asyncio.to_thread(receiver.wait_for, is_there)
    return [span for span in spans if span.trace == trace]


def find(spans, name, parent):
    (found,) = [span for span in spans if (span.name, span.parent) == (name, parent)]
    return found


async def test_a_call_at_the_wrong_replica_is_one_trace(hub, receiver, trace, parent):
    owner, other = hub.replicas
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        session = await open_session(http, hub.at(owner))

        await post(http, hub.at(other), call(), traceparent=parent, **session)
        spans = await collect(receiver, trace, "POST /mcp", "POST /mcp")

    first = find(spans, "POST /mcp", CLIENT)
    forward = find(spans, "forward", first.id)
    second = find(spans, "POST /mcp", forward.id)
    called = find(spans, CALL, second.id)
    find(spans, "wait for a slot", called.id)
    database = find(spans, DATABASE, called.id)
    assert [s for s in spans if s.name == "wait for a connection"]
    pods = [s.resource["k8s.pod.name"] for s in (first, forward, second, database)]
    assert pods == [other.uid, other.uid, owner.uid, owner.uid]
    assert first.attributes == {
        "http.request.method": "POST",
        "http.route": "/mcp",
        "http.response.status_code": 200,
        "mcp.protocol.version": "2025-11-25",
    }
    assert called.attributes == {
        "mcp.method.name": "tools/call",
        "gen_ai.tool.name": "postgres_query",
        "gen_ai.operation.name": "execute_tool",
    }
    assert database.attributes == {
        "db.system.name": "postgresql",
        "db.namespace": postgres.DATABASE,
        "mcphub.backend.name": "postgres",
        "server.address": "127.0.0.1",
        "server.port": database.attributes["server.port"],
    }
    assert database.resource["service.name"] == "team-data"
    assert not [span.name for span in spans if span.failed]
    assert receiver.headers[-1]["x-key"] == "a secret"


async def test_the_trace_may_be_named_in_the_request_itself(
    hub, receiver, trace, parent
):
    (owner, _) = hub.replicas
    message = call(_meta={"traceparent": parent})
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        session = await open_session(http, hub.at(owner))

        await post(http, hub.at(owner), message, **session)
        spans = await collect(receiver, trace, "POST /mcp", CALL, DATABASE)

    first = find(spans, "POST /mcp", CLIENT)
    find(spans, CALL, first.id)


async def test_every_transport_leads_to_the_database(hub, receiver):
    traces = {name: secrets.token_hex(16) for name in TRANSPORTS}
    for transport, trace in traces.items():
        async with hub.client(transport) as client:
            meta = {"traceparent": f"00-{trace}-{CLIENT}-01"}
            await client.call_tool("postgres_query", {"sql": "SELECT 1"}, meta=meta)

    for trace in traces.values():
        spans = await collect(receiver, trace, CALL, DATABASE)
        (called,) = [span for span in spans if span.name == CALL]
        assert find(spans, DATABASE, called.id)


async def test_a_client_without_a_trace_begins_one(hub, receiver):
    before = {span.trace for span in receiver.spans}
    async with hub.client("modern") as client:
        await client.call_tool("postgres_list_tables", {})

    def is_there(spans):
        return find_new(spans, before, "tools/call postgres_list_tables")

    spans = await asyncio.to_thread(receiver.wait_for, is_there)

    (called,) = find_new(spans, before, "tools/call postgres_list_tables")
    (first,) = [span for span in spans if span.id == called.parent]
    assert (first.name, first.parent) == ("POST /mcp", "")


def find_new(spans, before, name):
    return [span for span in spans if span.name == name and span.trace not in before]


async def test_the_client_decides_that_a_trace_is_not_recorded(
    hub, receiver, trace, parent
):
    (owner, _) = hub.replicas
    other = secrets.token_hex(16)
    unsampled = f"00-{other}-{CLIENT}-00"
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        session = await open_session(http, hub.at(owner))

        await post(http, hub.at(owner), call(), traceparent=unsampled, **session)
        await post(http, hub.at(owner), call(), traceparent=parent, **session)
        await collect(receiver, trace, "POST /mcp", DATABASE)

    assert other not in {span.trace for span in receiver.spans}


async def test_a_failure_has_its_kind_and_no_word_of_its_text(
    hub, receiver, trace, parent
):
    (owner, _) = hub.replicas
    missing = f"SELECT {CANARY} FROM sales.orders WHERE status = '{CANARY}'"  # noqa: S608
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        session = await open_session(http, hub.at(owner))

        await post(http, hub.at(owner), call(missing), traceparent=parent, **session)
        spans = await collect(receiver, trace, "POST /mcp", CALL, DATABASE)

    (database,) = [span for span in spans if span.name == DATABASE]
    (called,) = [span for span in spans if span.name == CALL]
    assert database.failed
    assert database.attributes["error.type"] == "QueryFailed"
    assert database.attributes["db.response.status_code"] == "42703"
    assert called.attributes["error.type"] == "query_failed"


async def test_nothing_that_a_client_sent_is_exported(hub, receiver, trace, parent):
    (owner, other) = hub.replicas
    headers = {
        "traceparent": f"00-{secrets.token_hex(16)}-{CLIENT}-01",
        "tracestate": f"vendor={CANARY}",
        "baggage": f"user={CANARY}",
        "user-agent": CANARY,
        "x-request-id": CANARY,
    }
    messages = [
        call(),
        call(f"SELECT 1/0 AS {CANARY}"),
        call(f"DELETE FROM {CANARY}"),  # noqa: S608
        call("SELECT 1", tool=CANARY),
        {**call(), "id": CANARY},
        request(f"tools/{CANARY}"),
        request("resources/read", uri=f"file:///{CANARY}"),
        request("prompts/get", name=CANARY),
        call("SELECT 1", _meta={"traceparent": CANARY, CANARY: CANARY}),
    ]
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        session = await open_session(http, hub.at(owner))

        for replica in (owner, other):
            for message in messages:
                sent = {**headers, **session}
                await http.post(
                    f"{hub.at(replica)}/mcp?{CANARY}", json=message, headers=sent
                )
        listing = request("tools/list")
        await post(http, hub.at(other), listing, traceparent=parent, **session)
        await collect(receiver, trace, "POST /mcp", "POST /mcp")

    exported = b"".join(receiver.bodies)
    for secret in (CANARY, TOKEN, postgres.READER_PASSWORD, "SELECT", "a secret"):
        assert secret.encode() not in exported, secret
    assert session["mcp-session-id"].encode() not in exported
    names = {span.name for span in receiver.spans}
    assert {"resources/read", "prompts/get", "tools/call other"} <= names


async def test_exemplars_name_the_trace(hub, trace, parent):
    (owner, _) = hub.replicas
    async with httpx2.AsyncClient(headers=HEADERS, timeout=100) as http:
        session = await open_session(http, hub.at(owner))
        await post(http, hub.at(owner), call(), traceparent=parent, **session)

        url = f"{hub.management_at(owner)}/metrics"
        openmetrics = {"accept": "application/openmetrics-text; version=1.0.0"}
        answer = await http.get(url, headers=openmetrics)
        status = (await http.get(f"{hub.management_at(owner)}/status")).json()

    assert f'# {{trace_id="{trace}"}}' in answer.text
    assert set(status["tracing"]) == {"state", "reason", "message"}
