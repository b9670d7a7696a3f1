"""One page of a statement's rows, for statements of clients and declared ones alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastmcp.tools.base import ToolResult

from mcphub_server.backends.postgres.names import Granted
from mcphub_server.backends.postgres.reading import PostgresReader
from mcphub_server.guards.sql.statement import SqlStatement
from mcphub_server.guards.sql.wrap import Window
from mcphub_server.results.table import Page, encode_page
from mcphub_server.tools.building import build_result
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.paging import Pager, fingerprint


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of which statement.

    Attributes:
        tool: The tool's name.
        statement: What to run.
        values: The values of its placeholders.
        limit: Most rows; None: as many as the hub allows.
        cursor: Where the page begins.
        granted: Functions that the administrator allows to the statement.
    """

    tool: str
    statement: SqlStatement
    values: Sequence[object]
    limit: int | None
    cursor: str | None
    granted: Granted = frozenset()


async def read_page(
    context: ToolContext, reader: PostgresReader, request: PageRequest
) -> ToolResult:
    """Return the page as a result; raise ToolFailure."""
    statement, values = request.statement, request.values
    context.note(fingerprint=statement.shape)
    with context.guards.charging():
        mark = fingerprint(statement.fingerprint, values)
    pager = Pager(context, request.tool, mark)
    offset, rows = pager.find_offset(request.cursor), pager.find_limit(request.limit)
    most = context.limits.max_result_bytes
    window = Window(rows, offset, most)
    fetched = await context.run(
        reader.backend,
        lambda: reader.fetch(statement, window, values, request.granted),
    )
    page = Page(
        fetched.columns, fetched.rows, truncated=fetched.more, kinds=fetched.kinds
    )
    encoded = encode_page(page, most, pager.sign_after(offset), fetched.max_cell_bytes)
    context.note(rows=encoded.row_count)
    return build_result(encoded.text)
