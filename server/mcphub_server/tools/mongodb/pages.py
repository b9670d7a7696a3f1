"""One page of documents, for pipelines of clients and declared ones alike."""

from dataclasses import dataclass
from typing import Any

from fastmcp.tools.base import ToolResult

from mcphub_server.backends.mongodb.backend import Bounds, Documents, MongodbBackend
from mcphub_server.backends.mongodb.extended_json import write_documents
from mcphub_server.config.hub import LimitsConfig
from mcphub_server.results.table import encode_object
from mcphub_server.tools.building import build_result
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.mongodb import results
from mcphub_server.tools.paging import Pager

BYTES_SHARE = 2
"""BSON is at most about twice as long as its JSON."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of which pipeline.

    Attributes:
        collection: What the pipeline reads.
        stages: Its stages, as the driver sends them.
        limit: Most documents; None: as many as the hub allows.
        cursor: Where the page begins.
    """

    collection: str
    stages: list[dict[str, Any]]
    limit: int | None
    cursor: str | None


async def read_page(
    backend: MongodbBackend, pager: Pager, request: PageRequest
) -> ToolResult:
    """Return the page as a result; raise ToolFailure."""
    offset, rows = pager.find_offset(request.cursor), pager.find_limit(request.limit)
    bounds = find_bounds(pager.context.limits, rows)
    stages = [
        *request.stages,
        *([{"$skip": offset}] if offset else ()),
        {"$limit": rows + 1},
    ]
    found = await pager.context.run(
        backend, lambda: backend.aggregate(request.collection, stages, bounds)
    )
    return await build_page(found, pager, offset)


def find_bounds(limits: LimitsConfig, rows: int) -> Bounds:
    """Return what one call may take."""
    most = BYTES_SHARE * limits.max_result_bytes
    return Bounds(rows, most, limits.statement_timeout_seconds)


async def build_page(found: Documents, pager: Pager, offset: int) -> ToolResult:
    """Return as many documents as fit, with the cursor behind them."""
    body, cut = results.describe_documents(
        await write_documents(found.documents),
        pager.context.limits.max_result_bytes,
        more=found.more,
        cursor_after=pager.sign_after(offset),
    )
    return encode(pager.context, body, body["row_count"], cut=cut)


def encode(
    context: ToolContext, body: dict[str, Any], rows: int, *, cut: bool
) -> ToolResult:
    """Return a body as a result, and note its rows for the audit line."""
    encoded = encode_object(body, rows, truncated=cut)
    context.note(rows=rows)
    return build_result(encoded.text)
