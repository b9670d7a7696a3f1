"""The labels, relationship types and properties of a Neo4j database."""

from collections.abc import Mapping, Sequence
from typing import Any

from mcphub_server.backends.neo4j import statements
from mcphub_server.backends.neo4j.backend import Neo4jBackend
from mcphub_server.errors import BadArgument
from mcphub_server.results.fitting import fit_object
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.neo4j.pages import build_read
from mcphub_server.tools.neo4j.samples import describe_properties
from mcphub_server.tools.objects.patterns import NamePattern
from mcphub_server.tools.objects.searching import cut_window
from mcphub_server.tools.objects.source import (
    Found,
    FoundObject,
    ListedObject,
    Window,
)

MOST_NAMES = 10_000
SAMPLED_NODES = 50
SAMPLED_RELATIONSHIPS = 100
GAP = f"names of properties beyond the first {MOST_NAMES:,} names"


def build_source(backend: Neo4jBackend, context: ToolContext) -> "Neo4jObjects":
    """Make the source of one backend."""
    return Neo4jObjects(backend, context)


class Neo4jObjects:
    """What the hub's user may read."""

    noun = "label"
    contents = "node labels, relationship types and names of properties"
    places = ("label",)
    revealing = frozenset({"query", "list_nodes"})

    def __init__(self, backend: Neo4jBackend, context: ToolContext) -> None:
        self._backend = backend
        self._context = context

    async def search(self, pattern: NamePattern, window: Window) -> Found:
        rows = await self._read(statements.NAMES, MOST_NAMES)
        matching = [
            FoundObject(str(kind), str(name))
            for kind, name in rows
            if pattern.matches(str(name))
        ]
        gap = GAP if len(rows) == MOST_NAMES else ""
        return Found(cut_window(matching, window), gap)

    async def list_objects(self, window: Window) -> Sequence[ListedObject]:
        labels = await self._list_labels()
        end = window.offset + window.limit + 1
        return [ListedObject((label,)) for label in labels[window.offset : end]]

    async def describe(self, path: Sequence[str], max_bytes: int) -> dict[str, Any]:
        (label,) = path
        text = statements.build_sample(label, SAMPLED_NODES)
        sample = [row[0] for row in await self._read(text, SAMPLED_NODES)]
        if not sample and label not in await self._list_labels():
            raise BadArgument(f"There is no label {label}.")
        text = statements.build_relationships(label, SAMPLED_NODES)
        related = await self._read(text, SAMPLED_RELATIONSHIPS)
        body = {
            "label": label,
            "sampled": len(sample),
            "properties": describe_properties(sample),
            "relationships": [
                {"type": kind, "direction": direction, "other_labels": labels}
                for kind, direction, labels in related
            ],
        }
        return fit_object(body, ("properties", "relationships"), max_bytes)

    async def complete(
        self,
        place: str,  # noqa: ARG002 -- there is one
        begun: str,
        others: Mapping[str, str],  # noqa: ARG002
    ) -> Sequence[str]:
        return [name for name in await self._list_labels() if name.startswith(begun)]

    async def _list_labels(self) -> list[str]:
        return [str(row[0]) for row in await self._read(statements.LABELS, MOST_NAMES)]

    async def _read(self, text: str, limit: int) -> list[list[object]]:
        read = build_read(self._context, text, {}, limit, 0)
        records = await self._context.run(
            self._backend, lambda: self._backend.read(read)
        )
        return records.rows
