"""One page of a statement's records, for statements of clients and declared ones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fastmcp.tools.base import ToolResult

from mcphub_server.backends.neo4j.backend import Neo4jBackend, Read, Records
from mcphub_server.errors import BadArgument
from mcphub_server.guards.cypher.check import CypherStatement
from mcphub_server.results.table import Page, encode_page
from mcphub_server.tools.building import build_result
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.paging import Pager

LEAST_RECORD_BYTES = 1024 * 1024
"""Decoded on the event loop; a byte may become a list."""

RECORD_SHARE = 4
LARGEST_OFFSET = 20_000
"""Skipped records are read and thrown away, so deep pages belong in the statement."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of which statement.

    Attributes:
        statement: What the guard let through.
        values: Its parameters.
        limit: Most records; None: as many as the hub allows.
        cursor: Where the page begins.
    """

    statement: CypherStatement
    values: Mapping[str, object]
    limit: int | None
    cursor: str | None


async def read_page(
    context: ToolContext, backend: Neo4jBackend, pager: Pager, request: PageRequest
) -> ToolResult:
    """Return the page as a result; raise ToolFailure."""
    offset = pager.find_offset(request.cursor)
    if offset > LARGEST_OFFSET:
        raise BadArgument(
            f"Cursors reach {LARGEST_OFFSET} rows deep. Narrow the statement, or "
            "page in it with ORDER BY … SKIP … LIMIT …."
        )
    rows = pager.find_limit(request.limit)
    read = build_checked_read(context, request.statement, request.values, rows, offset)
    records = await context.run(backend, lambda: backend.read(read))
    return answer_page(context, records, pager, offset)


def build_checked_read(
    context: ToolContext,
    statement: CypherStatement,
    values: Mapping[str, object],
    limit: int,
    offset: int,
) -> Read:
    """Return a read of what the guard let through."""
    read = build_read(context, statement.text, values, limit, offset)
    return replace(read, query_type=statement.query_type)


def build_read(
    context: ToolContext,
    text: str,
    values: Mapping[str, object],
    limit: int,
    offset: int,
) -> Read:
    """Return a read within the hub's limits."""
    limits = context.limits
    return Read(
        text,
        values,
        offset,
        limit,
        limits.statement_timeout_seconds,
        max(LEAST_RECORD_BYTES, RECORD_SHARE * limits.max_result_bytes),
    )


def answer_page(
    context: ToolContext, records: Records, pager: Pager, offset: int
) -> ToolResult:
    """Return records as a result."""
    encoded = encode_page(
        Page(records.columns, records.rows, truncated=records.more),
        context.limits.max_result_bytes,
        pager.sign_after(offset),
    )
    context.note(rows=encoded.row_count)
    return build_result(encoded.text)
