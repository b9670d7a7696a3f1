"""What people and models do with a database of their own, over a day."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client

from tests.support import postgres
from tests.support.hub import HubFiles, hub_in_loop
from tests.support.postgres import PostgresServer, running_postgres

CONTENTS = """
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE TABLE public.mig (id int, v int);
INSERT INTO public.mig VALUES (1, 2);
CREATE TABLE public.docs (id int, jb jsonb);
INSERT INTO public.docs VALUES (1, '{"f": 1, "g": 2}');
CREATE TABLE public.people (id int, mail citext, extra hstore, secret text);
INSERT INTO public.people VALUES (1, 'A@b.c', 'k=>v', 'hidden');
CREATE EXTENSION ltree;
CREATE TABLE public.tags (id int, word citext, more hstore, paths ltree[]);
INSERT INTO public.tags VALUES (1, 'Ab', 'k=>v', '{a.b,c}');
GRANT SELECT ON public.tags TO reader;
CREATE TABLE public.vault (id int);
CREATE TABLE public."Invoices" (id int, "customerId" int);
GRANT SELECT ON public."Invoices" TO reader;
CREATE SCHEMA empty;
GRANT SELECT ON public.mig, public.docs TO reader;
GRANT SELECT (id, mail, extra) ON public.people TO reader;
ALTER DATABASE shop SET datestyle = 'SQL, DMY';
ALTER DATABASE shop SET intervalstyle = 'iso_8601';
ALTER DATABASE shop SET xmlbinary = 'hex';
ALTER DATABASE shop SET transform_null_equals = on;
ALTER ROLE reader SET bytea_output = 'escape';
ALTER ROLE reader SET exit_on_error = on;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres() as running:
        running.run_sql(CONTENTS, postgres.DATABASE)
        yield running


@pytest.fixture
async def client(server: PostgresServer, tmp_path: Path) -> AsyncIterator[Client[Any]]:
    options = {"host": server.host, "port": server.port, "database": postgres.DATABASE}
    login = {"username": postgres.READER, "password": postgres.READER_PASSWORD}
    files = HubFiles(
        tmp_path,
        {"backends": [{"name": "postgres", "postgres": options}]},
        {"postgres": login},
    )
    async with hub_in_loop(files) as hub, hub.client() as connected:
        yield connected


async def query(client: Client[Any], sql: str, **arguments: Any) -> Any:
    return await client.call_tool_mcp("postgres_query", {"sql": sql, **arguments})


async def test_a3_a_table_may_change_between_two_calls(
    client: Client[Any], server: PostgresServer
) -> None:
    before = [await query(client, "SELECT id, v FROM mig") for _ in range(3)]
    server.run_sql("ALTER TABLE mig ALTER v TYPE bigint", postgres.DATABASE)
    after = [await query(client, "SELECT id, v FROM mig") for _ in range(3)]
    server.run_sql("ALTER TABLE mig ADD w text DEFAULT 'x'", postgres.DATABASE)
    star = await query(client, "SELECT * FROM mig")

    answers = [*before, *after, star]
    assert [a.content[0].text for a in answers if a.is_error] == []
    assert star.structured_content["rows"][0][:2] == [1, 2]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("daterange('2026-02-01', '2026-03-05')", "[2026-02-01,2026-03-05)"),
        ("date '05/03/2026'", "2026-03-05"),
        ("interval '1 mon 2 days'", "1 mon 2 days"),
        (r"xmlelement(name a, '\x00ff'::bytea)", "<a>AP8=</a>"),
        ("ARRAY['\\xff'::bytea]", ["\\xff"]),
        ("(SELECT NULL = NULL)", None),
        ("tsrange('2026-02-01 10:00', NULL)", '["2026-02-01 10:00:00",)'),
    ],
)
async def test_a5_values_are_written_alike_on_every_database(
    client: Client[Any], expression: str, value: object
) -> None:
    answer = await query(client, f"SELECT {expression} AS v")

    assert answer.structured_content["rows"] == [[value]]


async def test_a5_an_error_does_not_end_the_session(client: Client[Any]) -> None:
    failed = await query(client, "SELECT 1 / 0")

    assert failed.meta["mcphub/error"]["kind"] == "query_failed"


@pytest.mark.parametrize("schema", ["", "public", "PUBLIC", '"public"'])
async def test_a8_a_schema_is_found_as_postgresql_would(
    client: Client[Any], schema: str
) -> None:
    answer = await client.call_tool_mcp("postgres_list_tables", {"schema": schema})

    assert "docs" in [table["name"] for table in answer.structured_content["tables"]]


@pytest.mark.parametrize("schema", ["nope", "empty", '"PUBLIC"x'])
async def test_a8_an_unknown_schema_is_told_with_those_there_are(
    client: Client[Any], schema: str
) -> None:
    answer = await client.call_tool_mcp("postgres_list_tables", {"schema": schema})

    assert answer.is_error
    assert "public, sales" in answer.content[0].text


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        pytest.param(
            "SELECT p FROM tags p",
            {"id": 1, "word": "Ab", "more": {"k": "v"}, "paths": ["a.b", "c"]},
            id="a whole row",
        ),
        pytest.param(
            "SELECT array_agg(p.word) FROM tags p", ["Ab"], id="a list of such values"
        ),
        pytest.param(
            "SELECT array_agg(p) FROM public.tags p",
            [{"id": 1, "word": "Ab", "more": {"k": "v"}, "paths": ["a.b", "c"]}],
            id="a list of rows",
        ),
        pytest.param(
            "SELECT s FROM (SELECT word, paths FROM tags) s",
            {"word": "Ab", "paths": ["a.b", "c"]},
            id="a row of a subquery",
        ),
        pytest.param(
            "SELECT ROW(word, more) FROM tags",
            {"f1": "Ab", "f2": {"k": "v"}},
            id="a row that is made",
        ),
    ],
)
async def test_a10_a_row_with_an_extensions_type_is_an_object(
    client: Client[Any], sql: str, value: object
) -> None:
    answers = [await query(client, sql) for _ in range(2)]

    for answer in answers:
        assert not answer.is_error, answer.content[0].text
        assert answer.structured_content["rows"] == [[value]]


async def test_a11_a_json_document_may_come_as_its_text(client: Client[Any]) -> None:
    answers = [
        await query(client, "SELECT id FROM docs WHERE jb @> $1", parameters=[given])
        for given in ('{"f":1}', {"f": 1}, '{"f":3}')
    ]

    rows = [answer.structured_content["rows"] for answer in answers]
    assert rows == [[[1]], [[1]], []]


async def test_a12_options_that_a_client_filled_in_are_left_out(
    client: Client[Any],
) -> None:
    answer = await query(client, "SELECT 1 AS a", limit=0, parameters="", cursor="")

    assert answer.structured_content["rows"] == [[1]]


@pytest.mark.parametrize(
    ("sql", "advice"),
    [
        ("SHOW TABLES", "_list_tables"),
        ("show full tables;", "_list_tables"),
        (r"\dt", "_list_tables"),
        (r"\d+ docs", "_describe_table"),
        ("DESCRIBE docs", "_describe_table"),
        ("desc public.docs", "_describe_table"),
        ("SHOW COLUMNS FROM docs", "_describe_table"),
        ("SHOW CREATE TABLE docs", "_describe_table"),
        ("SHOW DATABASES", "schemata"),
    ],
)
async def test_a17_other_programs_commands_point_to_the_tools(
    client: Client[Any], sql: str, advice: str
) -> None:
    answer = await query(client, sql)

    assert answer.is_error
    assert advice in answer.content[0].text


async def test_a18_a_column_that_cannot_be_read_is_not_described(
    client: Client[Any],
) -> None:
    answer = await client.call_tool_mcp("postgres_describe_table", {"table": "people"})

    names = [column["name"] for column in answer.structured_content["columns"]]
    assert names == ["id", "mail", "extra"]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT * FROM vault", "It may not read public.vault."),
        ("SELECT secret FROM people", "of public.people the columns secret"),
        ("SELECT * FROM public.vault v, people p", "public.vault"),
    ],
)
async def test_a18_a_denial_names_what_is_denied(
    client: Client[Any], sql: str, told: str
) -> None:
    answer = await query(client, sql)

    assert answer.meta["mcphub/error"]["kind"] == "query_failed"
    assert "42501" in answer.content[0].text
    assert told in answer.content[0].text


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("SELECT * FROM Invoices", '"Invoices"'),
        ('SELECT customerId FROM "Invoices"', '"customerId"'),
        ('SELECT i.customerID FROM "Invoices" i', '"customerId"'),
    ],
)
async def test_a19_a_name_with_capitals_is_told_with_its_quotes(
    client: Client[Any], sql: str, name: str
) -> None:
    answer = await query(client, sql)

    assert answer.is_error
    assert f"need double quotes: {name}" in answer.content[0].text


async def test_a19_another_unknown_name_gets_no_such_hint(client: Client[Any]) -> None:
    answer = await query(client, "SELECT nothing FROM docs")

    assert "42703" in answer.content[0].text
    assert "double quotes" not in answer.content[0].text
