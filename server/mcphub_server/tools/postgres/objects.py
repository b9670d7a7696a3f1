"""The tables, views and columns of a PostgreSQL database, for search and resources."""

from collections.abc import Mapping, Sequence
from typing import Any

from mcphub_server.backends.postgres import catalog, objects
from mcphub_server.backends.postgres.backend import PostgresBackend
from mcphub_server.backends.postgres.catalog import TableName
from mcphub_server.backends.postgres.reading import PostgresReader
from mcphub_server.results.fitting import fit_object
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.objects.patterns import NamePattern
from mcphub_server.tools.objects.source import (
    Found,
    FoundObject,
    ListedObject,
    Window,
)
from mcphub_server.tools.postgres.toolset import LISTS_OF_A_TABLE

SCHEMA, TABLE = "schema", "table"


def build_source(backend: PostgresBackend, context: ToolContext) -> "PostgresObjects":
    """Make the source of one backend."""
    return PostgresObjects(backend, context)


class PostgresObjects:
    """What the role of the hub, or of the caller, may read."""

    noun = "table or view"
    contents = "tables, views, materialized views and their columns"
    places = (SCHEMA, TABLE)
    revealing = frozenset({"describe_table", "query"})

    def __init__(self, backend: PostgresBackend, context: ToolContext) -> None:
        self._backend = backend
        self._context = context
        self._reader = PostgresReader(backend, context.limits.statement_timeout_seconds)

    async def search(self, pattern: NamePattern, window: Window) -> Found:
        rows = await self._context.run(
            self._backend,
            lambda: objects.search(
                self._reader,
                pattern.like,
                (window.limit + 1, window.offset),
                qualified=pattern.is_qualified,
            ),
        )
        return Found([FoundObject(**row) for row in rows])

    async def list_objects(self, window: Window) -> Sequence[ListedObject]:
        rows = await self._context.run(
            self._backend,
            lambda: catalog.list_tables(
                self._reader, None, (window.limit + 1, window.offset)
            ),
        )
        return [
            ListedObject((row["schema"], row["name"]), describe_table(row))
            for row in rows
        ]

    async def describe(self, path: Sequence[str], max_bytes: int) -> dict[str, Any]:
        schema, name = path
        found = await self._context.run(
            self._backend,
            lambda: catalog.describe_table(self._reader, TableName(schema, name)),
        )
        return fit_object(found, LISTS_OF_A_TABLE, max_bytes)

    async def complete(
        self, place: str, begun: str, others: Mapping[str, str]
    ) -> Sequence[str]:
        if place == SCHEMA:
            names = await self._context.run(
                self._backend, lambda: catalog.list_schemas(self._reader)
            )
            return [name for name in names if name.startswith(begun)]
        return await self._context.run(
            self._backend,
            lambda: objects.complete_table(self._reader, begun, others.get(SCHEMA)),
        )


def describe_table(row: Mapping[str, Any]) -> str:
    """Return the kind of a table, and what its owner says of it."""
    return f"{row['kind']}: {row['comment']}" if row["comment"] else str(row["kind"])
