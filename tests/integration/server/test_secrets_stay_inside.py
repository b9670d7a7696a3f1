"""Canaries in every secret and every row: none may leave where it must not.

Secrets may leave nowhere. A row may leave in the result that was asked for, and
nowhere else: no log, no error, no status, no metric.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support import postgres
from tests.support.hub import HubFiles, HubProcess, hub_process
from tests.support.postgres import PostgresServer

CANARY = "canary"
PASSWORD = "canary-password-4711"
API_KEY = "canary-apikey-4711"
EMBEDDING_KEY = "canary-embedding-4711"
TOKEN = "canary-token-4711"
STATE_KEY = "canary-state-key-4711"
ROW = "canary-row-4711"

SEED = f"""
CREATE ROLE canary_reader LOGIN PASSWORD '{PASSWORD}';
CREATE TABLE public.canaries (id integer PRIMARY KEY, note text);
INSERT INTO public.canaries VALUES (1, '{ROW}'), (2, '{ROW}');
GRANT SELECT ON public.canaries TO canary_reader;
CREATE FUNCTION public.tell(note text) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'I say %', note USING HINT = note, DETAIL = note; END $$;
"""  # noqa: S608 -- constants

FAILING = [
    "SELECT note::integer FROM canaries",
    "SELECT 1 / (id - 1) FROM canaries",
    "SELECT (SELECT note FROM canaries)",
    "SELECT note::json FROM canaries",
    "SELECT note::timestamptz FROM canaries",
    "SELECT note::uuid FROM canaries",
    "SELECT note::inet FROM canaries",
    "SELECT xmlparse(document note) FROM canaries",
    "SELECT tell(note) FROM canaries",
    "SELECT to_date(note, 'YYYY-MM-DD') FROM canaries",
    "SELECT * FROM canaries WHERE note ~ ('(' || note)",
    "SELECT ('{' || note)::int[] FROM canaries",
    "SELECT format('%s %s', note) FROM canaries",
    "SELECT count(*) FROM canaries, pg_class a, pg_class b, pg_class c, pg_class d",
    "SELECT query_to_xml('SELECT ' || note, true, true, '') FROM canaries",
    "DELETE FROM canaries RETURNING note",
    "SELEC note FROM canaries",
]


@pytest.fixture(scope="module")
def server(
    shop: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HubProcess]:
    shop.run_sql(SEED, postgres.DATABASE)
    folder = tmp_path_factory.mktemp("canaries")
    options = {"host": shop.host, "port": shop.port, "database": postgres.DATABASE}
    closed = {"host": "127.0.0.1", "port": 1, "database": CANARY.upper()}
    files = HubFiles(
        folder,
        {
            "backends": [
                {"name": "postgres", "postgres": options},
                {"name": "wrong", "postgres": options},
                {"name": "closed", "postgres": closed},
                {
                    "name": "vectors",
                    "qdrant": {
                        "url": "http://127.0.0.1:1",
                        "embedding": {"url": "http://127.0.0.1:1/v1", "model": "m"},
                    },
                },
                {"name": "graph", "neo4j": {"uri": "bolt://127.0.0.1:1"}},
            ],
            "limits": {"statementTimeoutSeconds": 1},
            "logging": {"level": "debug"},
        },
        {
            "postgres": {"username": "canary_reader", "password": PASSWORD},
            "wrong": {"username": "canary_reader", "password": PASSWORD + "x"},
            "closed": {"username": "canary_reader", "password": PASSWORD},
            "vectors": {"apiKey": API_KEY, "embeddingApiKey": EMBEDDING_KEY},
            "graph": {"username": "neo4j", "password": PASSWORD},
        },
        {"alice": TOKEN},
    )
    files.write()
    (folder / "keys").mkdir()
    for name in ("state", "current", "previous"):
        (folder / "keys" / name).write_text(STATE_KEY)
    with hub_process(files) as process:
        yield process
    shop.run_sql("DROP TABLE canaries", postgres.DATABASE)


async def call_everything(server: HubProcess, transport: str) -> list[Any]:
    """Return every answer but those that were asked for rows."""
    answers = []
    async with server.client(transport, TOKEN) as client:
        answers += [
            await client.call_tool_mcp("postgres_query", {"sql": sql})
            for sql in FAILING
        ]
        rows = await client.call_tool_mcp(
            "postgres_query", {"sql": "SELECT note FROM canaries"}
        )
        assert ROW in rows.content[0].text
        for tool in await client.list_tools():
            answers += [tool, await client.call_tool_mcp(tool.name, {})]
        for tool, arguments in (
            ("wrong_query", {"sql": "SELECT 1"}),
            ("closed_query", {"sql": "SELECT 1"}),
            ("postgres_query", {"sql": 5}),
            ("postgres_query", {"sql": "SELECT 1", "cursor": "AAAA"}),
            ("postgres_describe_table", {"table": "canaries"}),
            ("vectors_search", {"collection": "c", "query_text": "t"}),
            ("graph_query", {"cypher": "RETURN 1"}),
        ):
            answers.append(await client.call_tool_mcp(tool, arguments))
    return answers


async def knock_wrongly(server: HubProcess) -> None:
    """Send what the SDK cannot parse, and what it logs with its content."""
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
    }
    async with httpx.AsyncClient(timeout=100) as http:
        for body in (f'{{"{ROW}"', f'{{"jsonrpc": "2.0", "method": "{ROW}"}}', ROW):
            await http.post(f"{server.url}/mcp", content=body, headers=headers)
            await http.post(
                f"{server.url}/messages/?session_id={ROW}",
                content=body,
                headers=headers,
            )
        await http.post(
            f"{server.url}/mcp", headers={"Authorization": f"Bearer {TOKEN}-not"}
        )


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_no_answer_carries_a_canary(server: HubProcess, transport: str) -> None:
    answers = await call_everything(server, transport)

    told = [str(answer) for answer in answers]
    assert [text for text in told if has_secret(text) or ROW in text] == []


async def test_no_endpoint_and_no_log_carries_a_canary(server: HubProcess) -> None:
    await call_everything(server, "http")
    await knock_wrongly(server)
    async with httpx.AsyncClient(timeout=100) as http:
        pages = {
            path: (await http.get(f"{server.management}{path}")).text
            for path in ("/status", "/config", "/metrics", "/health")
        }
    pages["log"] = await asyncio.to_thread(server.log.read_text)

    assert [
        name for name, text in pages.items() if has_secret(text) or ROW in text
    ] == []
    assert "tool call" in pages["log"]
    assert '"client":"alice"' in pages["log"]


SECRETS = (PASSWORD, API_KEY, EMBEDDING_KEY, TOKEN, STATE_KEY)


def has_secret(text: str) -> bool:
    return any(secret in text for secret in SECRETS)
