"""Each caller sees their own rows and no others, whatever they send."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from mcphub_server.backends.postgres.backend import PostgresBackend
from mcphub_server.backends.postgres.identity import Identity
from mcphub_server.config.backends import PostgresConfig
from tests.support import postgres
from tests.support.hub import LoopHub
from tests.support.postgres import PostgresServer
from tests.support.tenants import TENANTS

from .conftest import OpenHub, wait_for_status
from .test_declared_tools import call

IDENTITY = {"settings": [{"name": "app.tenant", "fromClaim": "sub"}]}
ROLES = {
    "role": {"fromClaim": "sub", "map": {"acme": "analyst", "globex": "analyst"}},
    **IDENTITY,
}
ALL = "SELECT id, tenant, subject FROM desk.tickets ORDER BY id"

OWN_TICKETS = {
    "name": "own_tickets",
    "description": "The caller's tickets.",
    "backend": "db",
    "statement": "SELECT subject, current_setting('app.tenant') AS me FROM desk.tickets"
    " WHERE id >= $1 ORDER BY id",
    "parameters": [{"name": "first", "type": "integer", "default": 0}],
}


def other(tenant: str) -> str:
    return next(each for each in TENANTS if each != tenant)


def kind_of(answer: Any) -> str:
    kind: str = answer.meta["mcphub/error"]["kind"]
    return kind


@pytest.mark.parametrize("identity", [IDENTITY, ROLES], ids=["settings", "role"])
@pytest.mark.parametrize("tenant", TENANTS)
async def test_a_caller_sees_their_own_rows_by_every_tool(
    open_hub: OpenHub, tenant: str, identity: dict[str, Any]
) -> None:
    async with open_hub(
        backend={"identity": identity}, live={"tools": [OWN_TICKETS]}
    ) as hub:
        free = await call(hub, "db_query", tenant, sql=ALL)
        declared = await call(hub, "own_tickets", tenant, first=10)
        listed = await call(hub, "db_list_tables", tenant)
        described = await call(hub, "db_describe_table", tenant, table="desk.tickets")

    assert {row[1] for row in free.structured_content["rows"]} == {tenant}
    assert len(free.structured_content["rows"]) == 20
    assert {row[1] for row in declared.structured_content["rows"]} == {tenant}
    for answer in (free, declared, listed, described):
        assert not answer.is_error, answer.content[0].text
        assert f"canary-of-{other(tenant)}" not in str(answer)
    estimates = {t["name"]: t for t in listed.structured_content["tables"]}
    assert estimates["tickets"]["estimated_rows"] is None
    assert described.structured_content["estimated_rows"] is None


async def test_a_caller_without_a_mapped_claim_is_refused(open_hub: OpenHub) -> None:
    async with open_hub(backend={"identity": ROLES}) as hub:
        answers = [
            await call(hub, "db_query", "eve", sql="SELECT 1"),
            await call(hub, "db_list_tables", "eve"),
        ]
        fine = await call(hub, "db_query", "acme", sql="SELECT 1")

    assert [kind_of(each) for each in answers] == ["forbidden"] * 2
    assert "role" not in answers[0].content[0].text
    assert not fine.is_error


ESCAPES = [
    "SELECT set_config('app.tenant', 'globex', false)",
    "SELECT pg_catalog.set_config('app.tenant', 'globex', true), 1",
    "SET app.tenant = 'globex'",
    "SET LOCAL ROLE reader",
    "RESET ROLE",
    "RESET ALL",
    "SELECT current_setting('app.tenant')",
    "SHOW app.tenant",
    "EXPLAIN SELECT * FROM desk.tickets",
    "SELECT reltuples FROM pg_class WHERE relname = 'tickets'",
    "SELECT * FROM pg_class WHERE relname = 'tickets'",
    "SELECT c FROM pg_class c WHERE relname = 'tickets'",
    "SELECT (c).reltuples FROM pg_class c WHERE relname = 'tickets'",
    "SELECT most_common_vals FROM pg_stats WHERE tablename = 'tickets'",
    "SELECT n_live_tup FROM pg_stat_user_tables",
    "SELECT max(ctid) FROM desk.tickets",
    "SELECT t.ctid FROM desk.tickets t",
    "SELECT 1 FROM desk.tickets WHERE ctid > '(0,20)'",
    "SELECT n_live_tup FROM pg_catalog.pg_stat_all_tables",
    "SELECT heap_blks_read FROM pg_statio_all_tables",
    "SELECT pg_relation_size('desk.tickets')",
    "SELECT pg_total_relation_size('desk.tickets')",
    "SELECT ('desk.tickets'::regclass).pg_table_size",
    "SELECT pg_stat_get_live_tuples('desk.tickets'::regclass)",
    "SELECT desk.count_urgent('2020-01-01')",
]


@pytest.mark.parametrize("sql", ESCAPES)
async def test_no_statement_changes_or_looks_around_the_identity(
    escape_hub: LoopHub, sql: str
) -> None:
    answer = await call(escape_hub, "db_query", "acme", sql=sql)
    after = await call(escape_hub, "db_query", "acme", sql=ALL)

    assert answer.is_error
    assert kind_of(answer) == "rejected"
    assert {row[1] for row in after.structured_content["rows"]} == {"acme"}


@pytest.fixture
async def escape_hub(open_hub: OpenHub) -> AsyncIterator[LoopHub]:
    async with open_hub(backend={"identity": ROLES}) as hub:
        yield hub


HOSTILE = [
    "\\'); SELECT set_config('app.tenant','globex',true); --",
    "'); RESET ROLE; SELECT ('",
    "\\",
    "\\\\'",
    "x' || current_user || '",
    "'; ROLLBACK; BEGIN; --",
    "\u2028\u00a0'",
    "globex\\'",
]


@pytest.fixture(scope="module")
def lax(shop: PostgresServer) -> Iterator[PostgresServer]:
    """The database with the strings of old: a backslash escapes in plain literals."""
    shop.run_sql(
        "ALTER ROLE reader SET standard_conforming_strings = off;"
        "ALTER ROLE reader SET escape_string_warning = off;"
        "ALTER ROLE reader SET backslash_quote = on",
        postgres.DATABASE,
    )
    yield shop
    shop.run_sql("ALTER ROLE reader RESET ALL", postgres.DATABASE)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.usefixtures("lax")
async def test_no_claim_breaks_out_of_its_literal(build_files: Any, value: str) -> None:
    """The message is lexed before its own SET takes effect."""
    files = build_files(backend={"identity": ROLES})
    files.write()
    options = files.config["backends"][0]["postgres"]
    config = PostgresConfig.model_validate(options)
    backend = PostgresBackend("db", config, files.folder / "secrets")
    await backend.open()
    identity = Identity("analyst", (("app.tenant", value),))
    try:
        async with backend.reading(5, 5, identity=identity) as session:
            shown = await session.fetchrow(
                "SELECT pg_catalog.current_setting('app.tenant') AS value,"
                " current_user::text AS role,"
                " (SELECT count(*) FROM desk.tickets) AS seen"
            )
    finally:
        await backend.close()

    assert dict(shown) == {"value": value, "role": "analyst", "seen": 0}


async def test_a_plan_of_one_tenant_is_never_anothers(open_hub: OpenHub) -> None:
    """The policy on notes uses a function that is wrongly marked IMMUTABLE."""
    sql = "SELECT tenant, body FROM desk.notes ORDER BY id"
    async with open_hub(backend={"identity": IDENTITY, "pool": {"maxSize": 1}}) as hub:
        answers = [
            (tenant, await call(hub, "db_query", tenant, sql=sql))
            for tenant in [*TENANTS, *TENANTS] * 4
        ]

    for tenant, answer in answers:
        rows = answer.structured_content["rows"]
        assert {row[0] for row in rows} == {tenant}
        assert len(rows) == 20


async def test_a_cursor_is_bound_to_its_caller(open_hub: OpenHub) -> None:
    async with open_hub(backend={"identity": IDENTITY}) as hub:
        first = await call(hub, "db_query", "acme", sql=ALL, limit=5)
        cursor = first.structured_content["next_cursor"]
        stolen = await call(hub, "db_query", "globex", sql=ALL, limit=5, cursor=cursor)

    assert kind_of(stolen) == "bad_argument"


UNSAFE = [
    pytest.param(
        "CREATE ROLE unsafe LOGIN SUPERUSER PASSWORD 'reader-secret'",
        "superuser",
        id="superuser",
    ),
    pytest.param(
        "CREATE ROLE unsafe LOGIN BYPASSRLS PASSWORD 'reader-secret'",
        "NOBYPASSRLS",
        id="bypasses",
    ),
    pytest.param(
        "CREATE ROLE unsafe LOGIN PASSWORD 'reader-secret';"
        "CREATE ROLE owner_of_all; GRANT owner_of_all TO unsafe;"
        "ALTER TABLE desk.tickets OWNER TO owner_of_all",
        "FORCE ROW LEVEL SECURITY",
        id="owns by inheritance",
    ),
]


@pytest.mark.parametrize(("sql", "advice"), UNSAFE)
async def test_an_unsafe_login_closes_the_backend(
    open_hub: OpenHub, shop: PostgresServer, sql: str, advice: str
) -> None:
    shop.run_sql(sql, postgres.DATABASE)
    try:
        async with open_hub(backend={"identity": IDENTITY}, user="unsafe") as hub:
            status = await wait_for_status(
                hub, lambda each: each["backends"][0]["state"] != "Unknown"
            )
            answer = await call(hub, "db_query", "acme", sql=ALL)
    finally:
        shop.run_sql(
            "ALTER TABLE desk.tickets OWNER TO postgres;"
            "DROP ROLE unsafe; DROP ROLE IF EXISTS owner_of_all",
            postgres.DATABASE,
        )

    (backend,) = status["backends"]
    assert (backend["state"], backend["reason"]) == ("Degraded", "UnsafeRole")
    assert advice in backend["message"]
    assert kind_of(answer) == "forbidden"
    assert "canary" not in answer.content[0].text


@pytest.mark.parametrize(
    ("role", "advice"),
    [
        ("bypasser", "NOBYPASSRLS"),
        ("stranger", "GRANT stranger"),
        ("nowhere", "does not exist"),
    ],
)
async def test_an_unsafe_role_closes_the_backend(
    open_hub: OpenHub, role: str, advice: str
) -> None:
    identity = {"role": {"fromClaim": "sub", "map": {"acme": role}}}
    async with open_hub(backend={"identity": identity}) as hub:
        status = await wait_for_status(
            hub, lambda each: each["backends"][0]["state"] != "Unknown"
        )
        answer = await call(hub, "db_query", "acme", sql=ALL)

    assert status["backends"][0]["reason"] == "UnsafeRole"
    assert advice in status["backends"][0]["message"]
    assert kind_of(answer) == "forbidden"


async def test_views_that_show_all_rows_are_named(
    open_hub: OpenHub, shop: PostgresServer
) -> None:
    shop.run_sql("GRANT SELECT ON desk.all_subjects TO reader", postgres.DATABASE)
    try:
        async with open_hub(backend={"identity": IDENTITY}) as hub:
            status = await wait_for_status(hub, lambda _: True)
    finally:
        shop.run_sql(
            "REVOKE SELECT ON desk.all_subjects FROM reader", postgres.DATABASE
        )

    message = status["backends"][0]["message"]
    assert status["backends"][0]["state"] == "Connected"
    assert "desk.all_subjects" in message
    assert "desk.own_subjects" not in message


PARTS = """
CREATE TABLE desk.parted (tenant text, body text) PARTITION BY LIST (tenant);
CREATE TABLE desk.parted_acme PARTITION OF desk.parted FOR VALUES IN ('acme');
CREATE TABLE desk.parent (tenant text);
CREATE TABLE desk.child () INHERITS (desk.parent);
CREATE TABLE desk.bound_child () INHERITS (desk.parent);
CREATE TABLE desk.hidden_child () INHERITS (desk.parent);
ALTER TABLE desk.parted ENABLE ROW LEVEL SECURITY;
ALTER TABLE desk.parent ENABLE ROW LEVEL SECURITY;
ALTER TABLE desk.bound_child ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON ALL TABLES IN SCHEMA desk TO reader;
REVOKE SELECT ON desk.all_subjects, desk.hidden_child FROM reader;
"""
"""With SELECT on all tables of a schema, which is how most roles get it."""


async def test_parts_of_tables_that_have_no_policies_are_named(
    open_hub: OpenHub, shop: PostgresServer
) -> None:
    shop.run_sql(PARTS, postgres.DATABASE)
    try:
        async with open_hub(backend={"identity": IDENTITY}) as hub:
            status = await wait_for_status(hub, lambda _: True)
    finally:
        shop.run_sql("DROP TABLE desk.parted, desk.parent CASCADE", postgres.DATABASE)

    message = status["backends"][0]["message"]
    assert "have none: desk.child, desk.parted_acme; revoke SELECT" in message
    assert "views" not in message
