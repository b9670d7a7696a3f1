"""The collections of a MongoDB database, and the fields that samples of them have."""

from collections.abc import Mapping, Sequence
from typing import Any

from mcphub_server.backends.mongodb.backend import Bounds, Find, MongodbBackend
from mcphub_server.backends.mongodb.extended_json import decode_document
from mcphub_server.guards.mongodb.names import check_collection
from mcphub_server.results.fitting import fit_object
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.mongodb.describing import CollectionReader
from mcphub_server.tools.mongodb.fields import describe_fields
from mcphub_server.tools.objects.patterns import NamePattern
from mcphub_server.tools.objects.searching import cut_window
from mcphub_server.tools.objects.source import (
    Found,
    FoundObject,
    ListedObject,
    Window,
)

MOST_SEARCHED = 50
"""Collections whose fields a search looks at: each is a request."""

SAMPLE_SIZE = 5
SAMPLE_BYTES = 65_536
"""Of each collection; to decode all takes some 50 ms at most."""


def build_source(backend: MongodbBackend, context: ToolContext) -> "MongodbObjects":
    """Make the source of one backend."""
    return MongodbObjects(backend, context)


class MongodbObjects:
    """What the hub's user may read."""

    noun = "collection"
    contents = "collections, views, and fields of the first documents in each"
    places = ("collection",)
    revealing = frozenset({"describe_collection"})

    def __init__(self, backend: MongodbBackend, context: ToolContext) -> None:
        self._backend = backend
        self._context = context
        self._reader = CollectionReader(backend, context)

    async def search(self, pattern: NamePattern, window: Window) -> Found:
        collections = await self._reader.list_collections()
        names = [each["name"] for each in collections]
        found = [FoundObject(each["type"], each["name"]) for each in collections]
        found += await self._context.run(
            self._backend, lambda: self._list_fields(names[:MOST_SEARCHED])
        )
        matching = [
            each for each in found if pattern.matches(each.name, each.container)
        ]
        gap = ""
        if len(names) > MOST_SEARCHED:
            gap = f"fields of {len(names) - MOST_SEARCHED} collections"
        return Found(cut_window(matching, window), gap)

    async def list_objects(self, window: Window) -> Sequence[ListedObject]:
        collections = await self._reader.list_collections()
        end = window.offset + window.limit + 1
        return [
            ListedObject((each["name"],), each["type"])
            for each in collections[window.offset : end]
        ]

    async def describe(self, path: Sequence[str], max_bytes: int) -> dict[str, Any]:
        name = check_collection(path[0], self._backend.config.collections)
        body = await self._reader.describe(name)
        return fit_object(body, ("fields", "indexes"), max_bytes)

    async def complete(
        self,
        place: str,  # noqa: ARG002 -- there is one
        begun: str,
        others: Mapping[str, str],  # noqa: ARG002
    ) -> Sequence[str]:
        names = [each["name"] for each in await self._reader.list_collections()]
        return [name for name in names if name.startswith(begun)]

    async def _list_fields(self, names: Sequence[str]) -> list[FoundObject]:
        seconds = self._context.limits.statement_timeout_seconds
        bounds = Bounds(SAMPLE_SIZE, SAMPLE_BYTES, seconds)
        fields: list[FoundObject] = []
        for name in names:
            found = await self._backend.find(Find(name, {}, None, None, 0), bounds)
            small = [raw for raw in found.documents if len(raw.raw) <= SAMPLE_BYTES]
            described, _ = describe_fields([decode_document(raw) for raw in small])
            fields += [
                FoundObject("field", each["path"], name, " or ".join(each["types"]))
                for each in described
            ]
        return fields
