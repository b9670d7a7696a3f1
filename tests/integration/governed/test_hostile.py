"""The hostile corpus, as each identity and as arguments of declared tools.

What one tenant sends shows nothing of the other, in rows, errors, logs, metrics or
traces, and leaves their own rows as they were.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastmcp import Client
from structlog.testing import capture_logs

from tests.support.corpus import CorpusItem, load_corpus
from tests.support.hub import LoopHub
from tests.support.otlp import Receiver, receiving
from tests.support.tenants import CANARY, TENANTS

from .conftest import TOKENS, OpenHub
from .test_identity import ALL, ROLES, other

OWN_ROWS = 20
LIMITS = {"statementTimeoutSeconds": 1, "requestsPerSecond": 10_000, "burst": 10_000}
FIND = {
    "name": "find_tickets",
    "description": "Tickets with a subject.",
    "backend": "db",
    "statement": "SELECT id, tenant, subject FROM desk.tickets"
    " WHERE subject = $1 OR subject = ANY ($2) ORDER BY id",
    "parameters": [
        {"name": "subject", "type": "string"},
        {"name": "others", "type": "array", "items": {"type": "string"}},
    ],
}
SLOW = {"pg-082", "pg-083"}
"""They take until their time is over, which tests of limits try."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def trace_to(receiver: Receiver) -> dict[str, Any]:
    return {"otlp": {"endpoint": receiver.url}}


def list_statements() -> list[CorpusItem]:
    return [item for item in load_corpus("postgres") if item.id not in SLOW]


def list_texts() -> list[str]:
    """Every hostile text and every hostile JSON, as text."""
    kinds = ("postgres", "neo4j", "qdrant", "mongodb")
    items = [item for kind in kinds for item in load_corpus(kind)]
    hostile = [item for item in items if item.expected != "allow"]
    return [item.text or write(item.arguments) for item in hostile]


def write(arguments: object) -> str:
    try:
        return json.dumps(arguments)
    except RecursionError:  # the deepest ones
        return "[" * 10_000


def check(tenant: str, told: object) -> None:
    foreign = other(tenant)
    assert CANARY.format(tenant=foreign) not in str(told)
    assert f'"{foreign}"' not in str(told)


async def count_own(client: Client[Any], tenant: str) -> None:
    answer = await client.call_tool("db_query", {"sql": ALL})
    rows = answer.structured_content["rows"]
    assert {row[1] for row in rows} == {tenant}
    assert len(rows) == OWN_ROWS


async def read_metrics(hub: LoopHub) -> str:
    async with httpx.AsyncClient() as http:
        return (await http.get(f"{hub.management}/metrics")).text


@pytest.mark.parametrize("tenant", TENANTS)
async def test_no_hostile_statement_shows_anothers_rows(
    open_hub: OpenHub, receiver: Receiver, tenant: str
) -> None:
    backend = {"identity": ROLES, "pool": {"maxSize": 1}}
    traces = trace_to(receiver)
    async with (
        open_hub(backend=backend, limits=LIMITS, observability=traces) as hub,
        hub.client(token=TOKENS[tenant]) as client,
    ):
        with capture_logs() as logs:
            for item in list_statements():
                given = {"sql": item.text, "parameters": item.parameters or []}
                answer = await client.call_tool_mcp("db_query", given)
                check(tenant, answer.model_dump_json())
                assert answer.is_error or item.expected != "reject", item.why
            await count_own(client, tenant)
        metrics = await read_metrics(hub)

    assert "canary" not in str(logs)
    assert "canary" not in metrics
    assert "canary" not in str(receiver.wait_for(len))


async def test_no_hostile_argument_is_more_than_a_value(
    open_hub: OpenHub, receiver: Receiver
) -> None:
    tenant = "acme"
    given = {"live": {"tools": [FIND]}, "observability": trace_to(receiver)}
    own = CANARY.format(tenant=tenant)
    async with (
        open_hub(backend={"identity": ROLES}, limits=LIMITS, **given) as hub,
        hub.client(token=TOKENS[tenant]) as client,
    ):
        mine = f"{own} 2"
        theirs = f"{CANARY.format(tenant=other(tenant))} 3"
        with capture_logs() as logs:
            for text in [*list_texts(), theirs]:
                arguments = {"subject": text, "others": [text, mine]}
                answer = await client.call_tool_mcp("find_tickets", arguments)
                rows = (answer.structured_content or {}).get("rows", [])
                assert answer.is_error or [row[1:] for row in rows] == [[tenant, mine]]
            await count_own(client, tenant)
        metrics = await read_metrics(hub)

    assert "canary" not in str(logs)
    assert "canary" not in metrics
    assert "canary" not in str(receiver.wait_for(len))
