"""Pages of objects: within the limits, signed, and honest about what is missing."""

import json
from collections.abc import Sequence
from typing import Any

from mcphub_server.config.hub import LimitsConfig
from mcphub_server.results.cursors import CursorSigner
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.objects.patterns import NamePattern
from mcphub_server.tools.objects.searching import build_search_tool, cut_window
from mcphub_server.tools.objects.source import Found, FoundObject, Window


class FakeSource:
    """Finds names in a list."""

    noun = "table"
    contents = "tables"
    places = ("table",)
    revealing = frozenset({"query"})

    def __init__(self, names: Sequence[str], gap: str = "") -> None:
        self._names, self._gap = names, gap

    async def search(self, pattern: NamePattern, window: Window) -> Found:
        found = [
            FoundObject("table", n, "s") for n in self._names if pattern.matches(n)
        ]
        return Found(cut_window(found, window), self._gap)


async def run_nothing(_backend: Any, _call: Any) -> Any:
    raise AssertionError("no backend is asked")


def build(source: FakeSource, **limits: Any) -> Any:
    context = ToolContext(
        LimitsConfig(**limits),
        CursorSigner(b"k" * 32),
        run_nothing,
        lambda: "alice",
        lambda **_facts: None,
    )
    return build_search_tool("db", source, context)  # type: ignore[arg-type]


async def search(tool: Any, **arguments: Any) -> dict[str, Any]:
    result = await tool.run(arguments)
    text: str = result.content[0].text
    return {"error": text} if result.is_error else json.loads(text)


async def test_pages_go_on_to_the_end_without_gaps() -> None:
    tool = build(FakeSource([f"order_{n}" for n in range(7)]))

    names: list[str] = []
    cursor = None
    while True:
        page = await search(tool, pattern="order", limit=3, cursor=cursor)
        names += [each["name"] for each in page["objects"]]
        assert page["row_count"] == len(page["objects"])
        assert page["truncated"] is (page["next_cursor"] is not None)
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert names == [f"order_{n}" for n in range(7)]


async def test_a_cursor_belongs_to_its_pattern() -> None:
    tool = build(FakeSource(["orders", "order_lines"]))
    first = await search(tool, pattern="order", limit=1)

    refused = await search(tool, pattern="line", cursor=first["next_cursor"])

    assert "cursor does not belong" in refused["error"]


async def test_an_answer_keeps_within_rows_and_bytes() -> None:
    names = [f"order_{n}_{'x' * 200}" for n in range(100)]
    rows = await search(build(FakeSource(names), maxRows=5), pattern="*", limit=50)
    size = await search(build(FakeSource(names), maxResultBytes=4096), pattern="*")

    assert rows["row_count"] == 5
    assert 0 < size["row_count"] < 20
    assert size["next_cursor"]
    assert len(json.dumps(size)) < 5000


async def test_what_was_not_looked_at_is_said() -> None:
    page = await search(
        build(FakeSource(["a"], "fields of 3 collections")), pattern="a"
    )

    assert page["truncated"] is True
    assert page["next_cursor"] is None
    assert page["not_searched"] == "fields of 3 collections"


async def test_a_pattern_that_is_none_is_told_as_an_error() -> None:
    refused = await search(build(FakeSource([])), pattern="  ")

    assert "pattern takes a part of a name" in refused["error"]
