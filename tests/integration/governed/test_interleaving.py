"""Two tenants, three replicas, whatever comes between: no foreign row, ever.

Each example is a program: what each of several tasks sends, as which tenant, to which
replica. All of a tenant's rows and of its errors carry its canary, so one word tells a
leak.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support import postgres
from tests.support.hub import HubFiles, LoopHub, hub_in_loop
from tests.support.pgbouncer import running_pgbouncer
from tests.support.postgres import PostgresServer
from tests.support.tenants import CANARY, TENANTS
from tests.support.waiting import wait_until

from .conftest import TOKENS, wait_until_checked

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPLICAS = 3
OWN_ROWS = 20
IDENTITY = {
    "role": {"fromClaim": "sub", "map": dict.fromkeys(TENANTS, "analyst")},
    "settings": [{"name": "app.tenant", "fromClaim": "sub"}],
}
SLOW = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b"
STATEMENTS = (
    "SELECT tenant, subject FROM desk.tickets ORDER BY id",
    # the policy on notes has a function that is wrongly marked IMMUTABLE
    "SELECT tenant, body FROM desk.notes ORDER BY id",
    "SELECT tenant, count(*) FROM desk.notes GROUP BY tenant",
    "SELECT t.tenant, n.body FROM desk.tickets t JOIN desk.notes n USING (id)",
    "SELECT body::integer FROM desk.notes",  # the error quotes a row
    "SELECT 1 / (length(subject) - length(subject)) FROM desk.tickets",
)
NOTES = {
    "name": "own_notes",
    "description": "The caller's notes.",
    "backend": "db",
    "statement": "SELECT tenant, body, current_setting('app.tenant') AS me"
    " FROM desk.notes WHERE id >= $1 ORDER BY id",
    "parameters": [{"name": "first", "type": "integer", "default": 0}],
}
NUMBERS = count(2)
EXPECTED_FAILURES = {
    "backend_unavailable",
    "bad_argument",
    "limit_exceeded",
    "query_failed",
    "query_timeout",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a task does."""

    action: str
    tenant: str
    replica: int
    statement: str


@dataclass
class World:
    """The replicas, and what the tenants have got from them that can be replayed."""

    hubs: list[LoopHub]
    http: httpx.AsyncClient
    sessions: dict[tuple[str, int], str] = field(default_factory=dict)
    cursors: dict[tuple[str, str], str] = field(default_factory=dict)
    events: dict[str, str] = field(default_factory=dict)

    async def run(self, steps: list[Step]) -> None:
        for step in steps:
            await getattr(self, step.action)(step)

    async def query(self, step: Step) -> None:
        answer = await self._call(step, sql=step.statement)
        self._keep_cursor(step, answer)

    async def page(self, step: Step) -> None:
        answer = await self._call(step, sql=step.statement, limit=3)
        self._keep_cursor(step, answer)

    async def continue_own(self, step: Step) -> None:
        cursor = self.cursors.get((step.tenant, step.statement))
        if cursor:
            await self._call(step, sql=step.statement, limit=3, cursor=cursor)

    async def steal_cursor(self, step: Step) -> None:
        cursor = self.cursors.get((other(step.tenant), step.statement))
        if cursor:
            answer = await self._call(step, sql=step.statement, limit=3, cursor=cursor)
            assert find_kind(answer) in {"bad_argument", "limit_exceeded"}

    async def steal_session(self, step: Step) -> None:
        session = self.sessions[other(step.tenant), step.replica]
        answer = await self._post(step, {"sql": step.statement}, session=session)
        assert answer.status_code == httpx.codes.NOT_FOUND

    async def steal_event(self, step: Step) -> None:
        event = self.events.get(other(step.tenant))
        if event:
            headers = self._headers(step) | {"Last-Event-ID": event}
            answer = await self.http.get(self._url(step), headers=headers)
            check(step.tenant, answer.text)
            assert answer.status_code == httpx.codes.NOT_FOUND

    async def declared(self, step: Step) -> None:
        answer = await self._post(step, {}, tool="own_notes")
        check(step.tenant, answer.text)

    async def catalog(self, step: Step) -> None:
        answer = await self._post(step, {}, tool="db_list_tables")
        check(step.tenant, answer.text)
        assert '"estimated_rows":2' not in answer.text.replace(" ", "")

    async def cancel(self, step: Step) -> None:
        """Leave in the middle of a statement; keep the event id, if there is one."""
        call = self.http.stream(
            "POST",
            self._url(step),
            json=build_call("db_query", {"sql": SLOW}),
            headers=self._headers(step),
        )
        async with call as answer:
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    self.events[step.tenant] = line.removeprefix("id: ")
                    break

    async def time_out(self, step: Step) -> None:
        await self._call(step, sql=SLOW)

    async def open(self) -> None:
        """Open a session of each tenant at each replica."""
        for tenant in TENANTS:
            for number in range(REPLICAS):
                step = Step("", tenant, number, "")
                answer = await self.http.post(
                    self._url(step), json=OPENING, headers=self._headers(step)
                )
                self.sessions[tenant, number] = answer.headers["mcp-session-id"]

    async def count_own(self, tenant: str, replica: int) -> int:
        """Return how many rows a tenant sees, once the database is answered for."""
        step = Step("query", tenant, replica, STATEMENTS[1])
        rows: list[Any] = []

        async def is_answered() -> bool:
            answer = await self._call(step, sql=step.statement)
            rows[:] = answer.get("structuredContent", {}).get("rows", ())
            return not find_kind(answer)

        await wait_until(is_answered)
        assert {row[0] for row in rows} == {tenant}
        return len(rows)

    def _keep_cursor(self, step: Step, answer: dict[str, Any]) -> None:
        cursor = answer.get("structuredContent", {}).get("next_cursor")
        if cursor:
            self.cursors[step.tenant, step.statement] = cursor

    async def _call(self, step: Step, **arguments: Any) -> dict[str, Any]:
        answer = await self._post(step, arguments)
        result: dict[str, Any] = answer.json()["result"]
        assert find_kind(result) in EXPECTED_FAILURES | {""}, answer.text
        return result

    async def _post(
        self,
        step: Step,
        arguments: dict[str, Any],
        tool: str = "db_query",
        session: str = "",
    ) -> httpx.Response:
        own = self.sessions[step.tenant, step.replica]
        headers = self._headers(step) | {
            "Accept": "application/json",
            "Mcp-Session-Id": session or own,
        }
        body = build_call(tool, arguments)
        answer = await self.http.post(self._url(step), json=body, headers=headers)
        check(step.tenant, answer.text)
        return answer

    def _url(self, step: Step) -> str:
        return f"{self.hubs[step.replica].url}/mcp"

    def _headers(self, step: Step) -> dict[str, str]:
        session = self.sessions.get((step.tenant, step.replica))
        return {
            "Authorization": f"Bearer {TOKENS[step.tenant]}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2025-11-25",
        } | ({"Mcp-Session-Id": session} if session else {})


OPENING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


def build_call(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    params = {"name": tool, "arguments": arguments}
    number = next(NUMBERS)
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


def other(tenant: str) -> str:
    return next(each for each in TENANTS if each != tenant)


def check(tenant: str, text: str) -> None:
    """Find a foreign row, or a count that includes some."""
    foreign = other(tenant)
    assert CANARY.format(tenant=foreign) not in text
    assert f'"{foreign}"' not in text


def find_kind(result: dict[str, Any]) -> str:
    return str(result.get("_meta", {}).get("mcphub/error", {}).get("kind", ""))


STEPS = st.builds(
    Step,
    st.sampled_from(
        ["query"] * 8
        + ["page", "continue_own", "steal_cursor", "steal_session", "steal_event"] * 2
        + ["declared", "catalog", "cancel", "time_out"]
    ),
    st.sampled_from(TENANTS),
    st.integers(0, REPLICAS - 1),
    st.sampled_from(STATEMENTS),
)
PROGRAMS = st.lists(st.lists(STEPS, min_size=2, max_size=8), min_size=2, max_size=6)


@pytest.fixture(scope="module", params=["directly", "through a pooler"])
def database(
    request: pytest.FixtureRequest, shop: PostgresServer
) -> Iterator[dict[str, Any]]:
    if request.param == "directly":
        yield {"port": shop.port}
        return
    with running_pgbouncer(shop) as port:
        yield {"port": port, "pooler": True}


@asynccontextmanager
async def serving(files: list[HubFiles]) -> AsyncIterator[list[LoopHub]]:
    """Serve hubs that share their keys."""
    if not files:
        yield []
        return
    async with hub_in_loop(files[0]) as hub, serving(files[1:]) as others:
        await wait_until_checked(hub)
        yield [hub, *others]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    shop: PostgresServer,
    database: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[World]:
    options = {
        "host": shop.host,
        "database": postgres.DATABASE,
        "identity": IDENTITY,
        "pool": {"maxSize": 1},
        **database,
    }
    config = {
        "backends": [{"name": "db", "postgres": options}],
        "limits": {"statementTimeoutSeconds": 1, "requestsPerSecond": 10_000},
        "transports": {"streamableHTTP": {"sessions": "Stateful"}},
    }
    login = {"username": postgres.READER, "password": postgres.READER_PASSWORD}
    files = [
        HubFiles(
            tmp_path_factory.mktemp("hub"),
            config,
            {"db": login},
            TOKENS,
            {"tools": [NOTES]},
        )
        for _ in range(REPLICAS)
    ]
    for each in files:
        keys = each.folder / "keys"
        keys.mkdir(parents=True)
        for name in ("current", "previous", "state"):
            (keys / name).write_text("k" * 32)
    async with serving(files) as hubs, httpx.AsyncClient(timeout=100) as http:
        found = World(hubs, http)
        await found.open()
        yield found


@settings(
    max_examples=6,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # another run of a program takes another course
    suppress_health_check=[*HealthCheck],
)
@given(program=PROGRAMS)
async def test_no_program_shows_a_tenant_anothers_rows(
    world: World, program: list[list[Step]]
) -> None:
    await asyncio.gather(*(world.run(steps) for steps in program))

    for tenant in TENANTS:
        for number in range(REPLICAS):
            assert await world.count_own(tenant, number) == OWN_ROWS
