"""The tools of a PostgreSQL backend: query, list tables, describe a table."""

from typing import Annotated, Any

from fastmcp.tools.base import Tool, ToolResult
from pydantic import Field, WithJsonSchema

from mcphub_server.backends.postgres import catalog
from mcphub_server.backends.postgres.backend import PostgresBackend
from mcphub_server.backends.postgres.reading import PostgresReader
from mcphub_server.guards.sql.check import check_sql
from mcphub_server.results.fitting import fit_object
from mcphub_server.results.table import EncodedPage, encode_object
from mcphub_server.tools import schemas
from mcphub_server.tools.arguments import LONGEST_WORD
from mcphub_server.tools.building import ToolDescription, build_result, build_tool
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.objects.searching import answer_page, build_page
from mcphub_server.tools.objects.source import Window
from mcphub_server.tools.paging import (
    Cursor,
    Limit,
    Pager,
    check_parameter_values,
    fingerprint,
)
from mcphub_server.tools.postgres.diagnosis import build_diagnosis_tools
from mcphub_server.tools.postgres.pages import PageRequest, read_page

MOST_PARAMETERS = 1_000

LISTS_OF_A_TABLE = ("columns", "unique_keys", "foreign_keys", "indexes")

Sql = Annotated[
    str,
    Field(
        description="One read-only PostgreSQL statement: SELECT, WITH, VALUES, TABLE, "
        "EXPLAIN or SHOW. Add ORDER BY when you page through a result."
    ),
]
Parameters = Annotated[
    list[Any] | None,
    Field(max_length=MOST_PARAMETERS),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string"},
            "maxItems": MOST_PARAMETERS,
            "description": "Values of the statement's placeholders $1, $2, … in their "
            "order, each as text, such as 42, true, 2026-01-31 or a JSON document; "
            "numbers and booleans may come as such.",
        }
    ),
]
Schema = Annotated[
    str | None,
    Field(
        description="Only tables of this schema; all schemas if left out.",
        max_length=LONGEST_WORD,
    ),
]
Partitions = Annotated[
    bool,
    Field(
        description="Also list partitions and inheritance children; without it they "
        "are counted in partitions of the table that they belong to.",
    ),
]
Table = Annotated[
    str,
    Field(
        description="A table or view, as name or schema.name.",
        min_length=1,
        max_length=LONGEST_WORD,
    ),
]


def build_tools(backend: PostgresBackend, context: ToolContext) -> list[Tool]:
    """Make the tools of one backend."""
    tools = PostgresTools(backend, context)
    return [
        build_tool(describe_query(backend.name), tools.query),
        build_tool(describe_list(backend.name), tools.list_tables),
        build_tool(describe_describe(backend.name), tools.describe_table),
        *(build_diagnosis_tools(backend, context) if backend.config.diagnosis else ()),
    ]


class PostgresTools:
    """What the tools of one backend share."""

    def __init__(self, backend: PostgresBackend, context: ToolContext) -> None:
        self._backend = backend
        self._context = context
        self._reader = PostgresReader(backend, context.limits.statement_timeout_seconds)

    async def query(
        self,
        sql: Sql,
        parameters: Parameters = None,
        limit: Limit = None,
        cursor: Cursor = None,
    ) -> ToolResult:
        tool, values = f"{self._backend.name}_query", parameters or []
        self._context.note(fingerprint=fingerprint(sql))
        statement = await self._context.guards.check(check_sql, sql, len(values))
        check_parameter_values(values)
        request = PageRequest(tool, statement, values, limit, cursor)
        return await read_page(self._context, self._reader, request)

    async def list_tables(
        self,
        schema: Schema = None,
        include_partitions: Partitions = False,  # noqa: FBT002 -- by name only
        limit: Limit = None,
        cursor: Cursor = None,
    ) -> ToolResult:
        tool = f"{self._backend.name}_list_tables"
        pager = Pager(self._context, tool, fingerprint(schema, include_partitions))
        offset, rows = pager.find_offset(cursor), pager.find_limit(limit)
        found = await self._context.run(
            self._backend,
            lambda: catalog.list_tables(
                self._reader,
                schema,
                (rows + 1, offset),
                include_partitions=include_partitions,
            ),
        )
        page = build_page(
            "tables",
            found,
            Window(rows, offset),
            pager.sign_after(offset),
            self._context,
        )
        return answer_page(page, self._context)

    async def describe_table(self, table: Table) -> ToolResult:
        name = catalog.parse_table_name(table)
        found = await self._context.run(
            self._backend, lambda: catalog.describe_table(self._reader, name)
        )
        most = self._context.limits.max_result_bytes
        body = fit_object(found, LISTS_OF_A_TABLE, most)
        cut = "truncated" in body
        return self._answer(encode_object(body, len(body["columns"]), truncated=cut))

    def _answer(self, encoded: EncodedPage) -> ToolResult:
        self._context.note(rows=encoded.row_count)
        return build_result(encoded.text)


def describe_query(name: str) -> ToolDescription:
    """Describe `<b>_query`."""
    return ToolDescription(
        f"{name}_query",
        f"Query {name} with SQL",
        f"Run one read-only SQL statement on the PostgreSQL database {name} and get "
        "columns and rows. Writing, locking and functions with side effects are "
        "refused with the rule and a way out. Write values that come from elsewhere as "
        "$1, $2, … and pass them in parameters. Results are limited: when truncated is "
        "true, pass next_cursor for the following rows, or better aggregate in SQL. "
        f"Use {name}_list_tables and {name}_describe_table first to learn the names. "
        "Decimals of more than 15 digits come as strings so that no digit is lost.",
        schemas.PAGE,
    )


def describe_list(name: str) -> ToolDescription:
    """Describe `<b>_list_tables`."""
    return ToolDescription(
        f"{name}_list_tables",
        f"List the tables of {name}",
        f"List the tables, views and materialized views of the PostgreSQL database "
        f"{name} that can be read: schema, name, kind, estimated number of rows and "
        "comment. Pass schema to see only one schema's. Partitions are counted in "
        "their table unless include_partitions is true.",
        schemas.TABLES,
    )


def describe_describe(name: str) -> ToolDescription:
    """Describe `<b>_describe_table`."""
    return ToolDescription(
        f"{name}_describe_table",
        f"Describe a table of {name}",
        f"Show one table or view of the PostgreSQL database {name}: its columns with "
        "types, nullability, defaults and comments, its primary, unique and foreign "
        "keys, and its indexes. Takes a name, or schema.name.",
        schemas.TABLE,
    )
