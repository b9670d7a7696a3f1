"""The schemas of tables, collections and labels, as resources of the hub.

A resource is read without a tool, so its backend must have a tool that shows the same
and that the caller may call; else there are no resources of it, and none of its names.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mcphub_server.errors import BackendUnavailable, Forbidden, ToolFailure
from mcphub_server.results.cells import cut_text, encode_json
from mcphub_server.results.cursors import CursorState
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.objects.source import ListedObject, ObjectSource, Window
from mcphub_server.tools.objects.uris import build_template, build_uri, find_parts
from mcphub_server.tools.paging import fingerprint

PAGE_SIZE = 100
MOST_LISTED = 1_000
"""Of a backend; the rest is found by search and by the template."""

LARGEST_SCHEMA_BYTES = 32_768
"""Hosts put resources into the prompt whole."""

LONGEST_TEXT_BYTES = 200
MOST_COMPLETIONS = 100
"""MCP's limit."""

LONGEST_BEGUN = 256

LISTING = "resources/list"


@dataclass(frozen=True, slots=True)
class ListedSchema:
    """A resource of a list, or a template of resources."""

    uri: str
    name: str
    title: str
    text: str


class UnknownSchema(Exception):
    """There is no such resource for this caller."""


class SchemaCatalog:
    """The schemas of all backends, as the current caller may see them."""

    def __init__(
        self,
        context: ToolContext,
        sources: Mapping[str, ObjectSource],
        list_tools: Callable[[str], Sequence[str]],
    ) -> None:
        """Prepare.

        Args:
            context: The hub.
            sources: By the names of their backends.
            list_tools: Returns a backend's tools that the current caller may use.
        """
        self._context = context
        self._sources = sources
        self._list_tools = list_tools

    def find_source(self, backend: str) -> ObjectSource | None:
        """Return a backend's source if the current caller may see its schemas."""
        source = self._sources.get(backend)
        if source is None:
            return None
        tools = (f"{backend}_{suffix}" for suffix in source.revealing)
        return None if set(tools).isdisjoint(self._list_tools(backend)) else source

    def list_templates(self) -> Iterator[ListedSchema]:
        """Yield one template for each backend that the caller may see."""
        for name, source in self._list_visible():
            yield ListedSchema(
                build_template(name, source.places),
                f"{name}_schema",
                f"Schema of a {source.noun} of {name}",
                f"What a {source.noun} of {name} consists of, as JSON.",
            )

    async def list_page(
        self, cursor: str | None
    ) -> tuple[list[ListedSchema], str | None]:
        """Return some schemas, and the cursor of the next ones.

        A backend that cannot be asked, or not for this caller, is left out.
        """
        visible = list(self._list_visible())
        mark = fingerprint([name for name, _ in visible])
        place = self._find_place(cursor, mark)
        page: list[ListedSchema] = []
        while place.backend < len(visible) and len(page) < PAGE_SIZE:
            name, source = visible[place.backend]
            window = place.find_window(PAGE_SIZE - len(page))
            found = await list_or_nothing(source, window)
            page += [build_listed(name, each) for each in found[: window.limit]]
            place = place.advance(window, is_last=len(found) <= window.limit)
        more = place.backend < len(visible)
        return page, self._sign(place, mark) if more else None

    async def read(self, uri: str) -> tuple[str, str]:
        """Return the backend and the JSON of a schema.

        Raises:
            UnknownSchema: No such resource exists for this caller.
            ToolFailure: The backend does not know it, or cannot be asked.
        """
        parts = find_parts(uri)
        source = self.find_source(parts[0]) if parts else None
        if parts is None or source is None or len(parts[1]) != len(source.places):
            raise UnknownSchema(uri)
        most = min(LARGEST_SCHEMA_BYTES, self._context.limits.max_result_bytes)
        described = await source.describe(parts[1], most)
        return parts[0], encode_json(described).decode()

    async def complete(
        self, backend: str, place: str, begun: str, others: Mapping[str, str]
    ) -> list[str]:
        """Return how a value may go on, one more than fit if there are more.

        Nothing where the backend cannot be asked: a person is typing.
        """
        source = self.find_source(backend)
        if source is None or place not in source.places or len(begun) > LONGEST_BEGUN:
            return []
        try:
            found = await source.complete(place, begun, others)
        except ToolFailure:
            return []
        return list(found[: MOST_COMPLETIONS + 1])

    def find_template(self, uri: str) -> str:
        """Return the backend of a template's URI; empty for any other text."""
        parts = find_parts(uri)
        return parts[0] if parts else ""

    def _list_visible(self) -> Iterator[tuple[str, ObjectSource]]:
        for name in self._sources:
            if (source := self.find_source(name)) is not None:
                yield name, source

    def _find_place(self, cursor: str | None, mark: str) -> "Place":
        if not cursor:
            return Place()
        principal = self._context.principal()
        number = self._context.cursors.verify(cursor, LISTING, mark, principal)
        return Place(*divmod(number, MOST_LISTED))

    def _sign(self, place: "Place", mark: str) -> str:
        number = place.backend * MOST_LISTED + place.offset
        principal = self._context.principal()
        return self._context.cursors.sign(CursorState(LISTING, mark, number, principal))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: at which backend, and behind how many of its objects."""

    backend: int = 0
    offset: int = 0

    def find_window(self, room: int) -> Window:
        """Return what to ask the backend for."""
        return Window(min(room, MOST_LISTED - self.offset), self.offset)

    def advance(self, window: Window, *, is_last: bool) -> "Place":
        """Return where the next page begins."""
        offset = self.offset + window.limit
        if is_last or offset >= MOST_LISTED:
            return Place(self.backend + 1)
        return Place(self.backend, offset)


async def list_or_nothing(
    source: ObjectSource, window: Window
) -> Sequence[ListedObject]:
    """Return a part of a source's list; nothing if its backend cannot be asked."""
    try:
        return await source.list_objects(window)
    except (BackendUnavailable, Forbidden):
        return []


def build_listed(backend: str, listed: ListedObject) -> ListedSchema:
    """Return an object as a resource."""
    name = ".".join(listed.path)
    text = cut_text(listed.text, LONGEST_TEXT_BYTES) if listed.text else ""
    return ListedSchema(
        build_uri(backend, listed.path), f"{backend}.{name}", name, text
    )
