"""`<b>_search_objects`, and the pages of all tools that list objects."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastmcp.tools.base import Tool, ToolResult
from pydantic import Field

from mcphub_server.results.fitting import fit_items
from mcphub_server.results.table import encode_object
from mcphub_server.tools.arguments import LONGEST_WORD
from mcphub_server.tools.building import ToolDescription, build_result, build_tool
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.objects.patterns import parse_pattern
from mcphub_server.tools.objects.source import FoundObject, ObjectSource, Window
from mcphub_server.tools.paging import Cursor, Limit, Pager, fingerprint
from mcphub_server.tools.schemas import PAGING, STRING, build_list, build_object

SUFFIX = "search_objects"

ENVELOPE_BYTES = 512
"""What stands around a list of objects: a count, a flag, a cursor and a remark."""

OBJECTS = build_object(
    {
        "objects": build_list(
            build_object(
                {"kind": STRING, "name": STRING, "container": STRING, "detail": STRING}
            )
        ),
        **PAGING,
    },
    not_searched=STRING,
)

Pattern = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_WORD,
        description="A part of a name, such as order, or a glob for whole names, such "
        "as *_id or sales.*; upper and lower case are the same.",
    ),
]


def build_search_tool(name: str, source: ObjectSource, context: ToolContext) -> Tool:
    """Make the tool of a backend with this name."""
    tool = f"{name}_{SUFFIX}"

    async def search_objects(
        pattern: Pattern, limit: Limit = None, cursor: Cursor = None
    ) -> ToolResult:
        checked = parse_pattern(pattern)
        mark = fingerprint(checked.text)
        context.note(fingerprint=mark)
        pager = Pager(context, tool, mark)
        window = Window(pager.find_limit(limit), pager.find_offset(cursor))
        found = await source.search(checked, window)
        items = [each.describe() for each in found.objects]
        page = build_page(
            "objects", items, window, pager.sign_after(window.offset), context
        )
        if found.gap:
            page |= {"truncated": True, "not_searched": found.gap}
        return answer_page(page, context)

    return build_tool(describe_search(name, source), search_objects)


def describe_search(name: str, source: ObjectSource) -> ToolDescription:
    """Describe `<b>_search_objects`."""
    return ToolDescription(
        f"{name}_{SUFFIX}",
        f"Search the objects of {name}",
        f"Find objects of {name} by a part of their name: {source.contents}. Use it "
        "instead of listing everything where there is much, or to find out where a "
        "thing is kept. Takes a part of a name or a glob; returns kind, name, what the "
        "object is in, and its type or comment. When next_cursor is there, pass it for "
        "what follows.",
        OBJECTS,
    )


def build_page(
    key: str,
    items: Sequence[dict[str, Any]],
    window: Window,
    sign: Callable[[int], str],
    context: ToolContext,
) -> dict[str, Any]:
    """Return a page of a list: what fits, and the cursor of the rest.

    Args:
        key: What the list is called in the answer.
        items: Those of the window, and one more if there are more.
        window: How many there may be.
        sign: Makes the cursor behind so many of them.
        context: Has the limits.
    """
    wanted = list(items[: window.limit])
    fitting = fit_items(wanted, context.limits.max_result_bytes - ENVELOPE_BYTES)
    more = len(fitting) < len(items)
    return {
        key: fitting,
        "row_count": len(fitting),
        "truncated": more or fitting != wanted,
        "next_cursor": sign(len(fitting)) if more else None,
    }


def answer_page(page: dict[str, Any], context: ToolContext) -> ToolResult:
    """Return a page as a result."""
    rows = page["row_count"]
    context.note(rows=rows)
    encoded = encode_object(page, rows, truncated=page["truncated"])
    return build_result(encoded.text)


def cut_window(
    matching: Sequence[FoundObject], window: Window
) -> Sequence[FoundObject]:
    """Return the part of a complete list that a source gives."""
    return matching[window.offset : window.offset + window.limit + 1]
