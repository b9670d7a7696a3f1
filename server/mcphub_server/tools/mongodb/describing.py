"""What a MongoDB database tells about its collections, for tools and resources."""

from collections.abc import Mapping
from typing import Any

from mcphub_server.backends.mongodb.backend import Bounds, MongodbBackend
from mcphub_server.backends.mongodb.extended_json import (
    decode_document,
    write_document,
)
from mcphub_server.errors import BadArgument
from mcphub_server.guards.mongodb.names import is_readable
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.mongodb.fields import describe_fields

SAMPLE_SIZE = 100
SAMPLE_BYTES = 4 * 1024 * 1024


class CollectionReader:
    """Lists and describes the collections of one backend."""

    def __init__(self, backend: MongodbBackend, context: ToolContext) -> None:
        self._backend = backend
        self._context = context

    async def list_collections(self) -> list[dict[str, Any]]:
        """Return name and type of the hub's collections, sorted."""
        seconds = self._context.limits.statement_timeout_seconds
        found = await self._context.run(
            self._backend, lambda: self._backend.list_collections(seconds)
        )
        allowed = self._backend.config.collections
        named = [
            (str(each["name"]), str(each.get("type", "collection"))) for each in found
        ]
        return [
            {"name": name, "type": kind}
            for name, kind in sorted(named)
            if is_readable(name, allowed)
        ]

    async def describe(self, name: str) -> dict[str, Any]:
        """Return fields, indexes and count of a collection; raise BadArgument."""
        bounds = Bounds(
            SAMPLE_SIZE, SAMPLE_BYTES, self._context.limits.statement_timeout_seconds
        )
        facts = await self._context.run(
            self._backend, lambda: self._backend.describe(name, bounds)
        )
        if not facts.sample and not facts.indexes:
            await self._check_exists(name)
        fields, cut = describe_fields([decode_document(raw) for raw in facts.sample])
        return {
            "name": name,
            "estimated_count": facts.count,
            "sampled": len(facts.sample),
            "fields": fields,
            "indexes": [describe_index(each) for each in facts.indexes],
            "truncated": cut,
        }

    async def _check_exists(self, name: str) -> None:
        """Tell a model that mistook a collection which ones there are."""
        names = [each["name"] for each in await self.list_collections()]
        if name not in names:
            there = ", ".join(names)[:1000] or "none"
            raise BadArgument(f"There is no collection {name}. There are: {there}.")


def describe_index(index: Mapping[str, Any]) -> dict[str, Any]:
    """Return an index's name, keys in order, and whether it is unique."""
    keys = write_document({"key": index.get("key") or {}})["key"]
    return {
        "name": str(index.get("name") or ""),
        "keys": keys,
        "unique": bool(index.get("unique")) or index.get("name") == "_id_",
    }
