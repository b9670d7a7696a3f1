"""The collections of a Qdrant server, with their vectors and indexed fields."""

from collections.abc import Mapping, Sequence
from typing import Any

from mcphub_server.backends.qdrant.backend import QdrantBackend
from mcphub_server.errors import ToolFailure
from mcphub_server.guards.qdrant.names import check_collection_name
from mcphub_server.results.cells import encode_json
from mcphub_server.results.fitting import fit_object
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.objects.patterns import NamePattern
from mcphub_server.tools.objects.searching import cut_window
from mcphub_server.tools.objects.source import (
    Found,
    FoundObject,
    ListedObject,
    Window,
)
from mcphub_server.tools.qdrant import results

MOST_SEARCHED = 50
"""Collections whose fields a search looks at: each is a request."""


def build_source(backend: QdrantBackend, context: ToolContext) -> "QdrantObjects":
    """Make the source of one backend."""
    return QdrantObjects(backend, context)


class QdrantObjects:
    """What the hub may use of the server."""

    noun = "collection"
    contents = "collections, their named vectors and the indexed fields of payloads"
    places = ("collection",)
    revealing = frozenset({"collection_info"})

    def __init__(self, backend: QdrantBackend, context: ToolContext) -> None:
        self._backend = backend
        self._context = context
        self._seconds = context.limits.statement_timeout_seconds

    async def search(self, pattern: NamePattern, window: Window) -> Found:
        names = await self._list_names()
        found = [FoundObject("collection", name) for name in names]
        found += await self._context.run(
            self._backend, lambda: self._list_parts(names[:MOST_SEARCHED])
        )
        matching = [
            each for each in found if pattern.matches(each.name, each.container)
        ]
        gap = ""
        if len(names) > MOST_SEARCHED:
            gap = f"vectors and fields of {len(names) - MOST_SEARCHED} collections"
        return Found(cut_window(matching, window), gap)

    async def list_objects(self, window: Window) -> Sequence[ListedObject]:
        names = await self._list_names()
        end = window.offset + window.limit + 1
        return [ListedObject((name,)) for name in names[window.offset : end]]

    async def describe(self, path: Sequence[str], max_bytes: int) -> dict[str, Any]:
        name = check_collection_name(path[0], self._backend.config.collections)
        owned = self._backend.identify() is not None
        info = await self._context.run(
            self._backend,
            lambda: self._backend.describe_collection(name, self._seconds),
        )
        body = results.describe_collection(name, info, counted=not owned)
        return cut_fields(fit_object(body, ("vectors",), max_bytes), max_bytes)

    async def complete(
        self,
        place: str,  # noqa: ARG002 -- there is one
        begun: str,
        others: Mapping[str, str],  # noqa: ARG002
    ) -> Sequence[str]:
        return [name for name in await self._list_names() if name.startswith(begun)]

    async def _list_names(self) -> list[str]:
        self._backend.identify()
        return await self._context.run(
            self._backend, lambda: self._backend.list_collections(self._seconds)
        )

    async def _list_parts(self, names: Sequence[str]) -> list[FoundObject]:
        """Return the vectors and fields of collections that are still there."""
        parts: list[FoundObject] = []
        for name in names:
            try:
                info = await self._backend.describe_collection(name, self._seconds)
            except ToolFailure:
                if name in await self._backend.list_collections(self._seconds):
                    raise
                continue
            described = results.describe_collection(name, info, counted=False)
            parts += list_parts(name, described)
        return parts


def list_parts(collection: str, described: Mapping[str, Any]) -> list[FoundObject]:
    """Return the named vectors and the indexed fields of one collection."""
    vectors = [
        FoundObject("vector", each["name"], collection, f"{each['size']} numbers")
        for each in described["vectors"]
        if each["name"]
    ]
    sparse = [
        FoundObject("vector", name, collection, "sparse")
        for name in described["sparse_vectors"]
    ]
    fields = [
        FoundObject("field", name, collection, str(kind))
        for name, kind in described["payload_schema"].items()
    ]
    return [*vectors, *sparse, *fields]


def cut_fields(body: dict[str, Any], max_bytes: int) -> dict[str, Any]:
    """Return a description whose indexed fields fit, too."""
    fields = dict(body["payload_schema"])
    while fields and len(encode_json({**body, "payload_schema": fields})) > max_bytes:
        fields = dict(list(fields.items())[: len(fields) // 2])
    if len(fields) == len(body["payload_schema"]):
        return body
    return {**body, "payload_schema": fields, "truncated": True}
