"""The tools of a Qdrant backend: search, list collections, describe a collection."""

import time
from collections.abc import Callable
from typing import Annotated, Any

from fastmcp.tools.base import Tool, ToolResult
from pydantic import BeforeValidator, Field, WithJsonSchema

from mcphub_server.backends.qdrant.backend import QdrantBackend, Search
from mcphub_server.backends.qdrant.embedding import EmbeddingClient
from mcphub_server.backends.qdrant.rest import models
from mcphub_server.errors import BadArgument
from mcphub_server.guards.qdrant.filters import check_filter
from mcphub_server.guards.qdrant.names import (
    check_collection_name,
    check_limit,
    check_point_id,
    check_vector_name,
)
from mcphub_server.guards.qdrant.paths import quote_path
from mcphub_server.guards.qdrant.vectors import check_vector
from mcphub_server.results.table import encode_object
from mcphub_server.tools.arguments import LONGEST_WORD
from mcphub_server.tools.building import ToolDescription, build_result, build_tool
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.paging import fingerprint
from mcphub_server.tools.qdrant import results, schemas
from mcphub_server.tools.qdrant.text_vectors import NoVector, make_vector

_FLAGS = frozenset("true false yes no on off 1 0 t f y n".split())
"""Texts that pydantic reads as booleans."""

USUAL_LIMIT = 10
MOST_FIELDS = 100
LEAST_SEARCH_SECONDS = 1.0
"""What a search has when its vector took nearly all of the time; Qdrant knows whole
seconds only."""

Collection = Annotated[
    str,
    Field(
        description="The collection's name, as the list gives it.",
        min_length=1,
        max_length=LONGEST_WORD,
    ),
]
QueryVector = Annotated[
    Any,
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "number"},
            "description": "A vector: a list of numbers; also a list of such lists for "
            "a multivector, or {indices, values} for a sparse one.",
        }
    ),
]
QueryText = Annotated[
    str | None,
    Field(description="A text to search by meaning; needs an embedding endpoint."),
]
PointId = Annotated[
    int | Annotated[str, Field(max_length=LONGEST_WORD)] | None,
    WithJsonSchema(
        {
            "type": "string",
            "description": "Find points like this one: a whole number or a UUID.",
        }
    ),
]
Filter = Annotated[
    dict[str, Any] | None,
    WithJsonSchema(schemas.FILTER),
]
Using = Annotated[
    str | None,
    Field(
        description="Which of the collection's named vectors to search.",
        max_length=LONGEST_WORD,
    ),
]
Limit = Annotated[
    int | None,
    Field(
        ge=1,
        description=f"Most hits, {USUAL_LIMIT} if left out; the hub's limit applies.",
    ),
]


def split_fields(given: object) -> object:
    """Return names that come as one text, as a list; any other value as it is."""
    if not isinstance(given, str) or given.strip().lower() in _FLAGS:
        return given
    return [name.strip() for name in given.split(",") if name.strip()]


WithPayload = Annotated[
    bool | list[str],
    BeforeValidator(split_fields),
    WithJsonSchema(
        {
            "type": "boolean",
            "description": "Whether hits carry their payload, true if left out; a list "
            "of names: which fields of it.",
        }
    ),
]
WithVectors = Annotated[
    bool,
    Field(description="Whether hits carry their vectors; false if left out."),
]


def build_tools(backend: QdrantBackend, context: ToolContext) -> list[Tool]:
    """Make the three tools of one backend."""
    tools = QdrantTools(backend, context)
    by_text = backend.embedding is not None
    return [
        build_tool(describe_search(backend.name, by_text=by_text), tools.search),
        build_tool(describe_list(backend.name), tools.list_collections),
        build_tool(describe_info(backend.name), tools.collection_info),
    ]


class QdrantTools:
    """What the tools of one backend share."""

    def __init__(
        self,
        backend: QdrantBackend,
        context: ToolContext,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backend = backend
        self._context = context
        self._clock = clock

    async def search(  # noqa: PLR0913, PLR0917 -- the tool's own parameters
        self,
        collection: Collection,
        query_vector: QueryVector = None,
        limit: Limit = None,
        query_text: QueryText = None,
        point_id: PointId = None,
        filter: Filter = None,  # noqa: A002 -- Qdrant's word, and the tool's contract
        using: Using = None,
        with_payload: WithPayload = True,  # noqa: FBT002
        with_vectors: WithVectors = False,  # noqa: FBT002
    ) -> ToolResult:
        self._context.note(fingerprint=fingerprint(collection, using))
        self._backend.identify()  # before an embedding is paid for
        name = self._check_name(collection)
        with self._context.guards.charging():
            condition = check_filter(filter) if filter else None
        self._context.note(fingerprint=fingerprint(collection, using, condition))
        if point_id in {0, "0"} and (query_vector or query_text):
            point_id = None  # a client that fills in what was left out
        check_one_query(query_vector, query_text, point_id)
        search = Search(
            collection=name,
            query=await self._check_query(query_vector, point_id),
            using=None if using is None else check_vector_name(using),
            condition=condition,
            limit=self._find_limit(limit),
            with_payload=check_fields(with_payload),
            with_vectors=with_vectors,
            max_result_bytes=self._context.limits.max_result_bytes,
        )
        if query_text is not None:
            self._find_embedding()  # before the circuit: without one, say so
        try:
            hits = await self._context.run(
                self._backend, lambda: self._search(search, query_text)
            )
        except NoVector as error:
            raise error.failure from None
        body, cut = results.describe_hits(
            name, hits, self._context.limits.max_result_bytes
        )
        return self._answer(body, len(body["hits"]), cut=cut)

    async def list_collections(self) -> ToolResult:
        self._backend.identify()
        seconds = self._context.limits.statement_timeout_seconds
        names = await self._context.run(
            self._backend, lambda: self._backend.list_collections(seconds)
        )
        body, cut = results.describe_names(names, self._context.limits.max_result_bytes)
        return self._answer(body, len(body["collections"]), cut=cut)

    async def collection_info(self, collection: Collection) -> ToolResult:
        owned = self._backend.identify() is not None
        name = self._check_name(collection)
        seconds = self._context.limits.statement_timeout_seconds
        info = await self._context.run(
            self._backend, lambda: self._backend.describe_collection(name, seconds)
        )
        body = results.describe_collection(name, info, counted=not owned)
        return self._answer(body, 1, cut=False)

    async def _check_query(self, vector: object, point_id: int | str | None) -> object:
        """Return what to search for; None while its vector is still to be made."""
        if point_id is not None:
            return check_point_id(point_id)
        if vector is None:
            return None
        return await self._context.guards.check_aside(check_vector, vector)

    def _check_name(self, collection: str) -> str:
        return check_collection_name(collection, self._backend.config.collections)

    def _find_limit(self, limit: int | None) -> int:
        most = self._context.limits.max_rows
        return min(USUAL_LIMIT, most) if limit is None else check_limit(limit, most)

    async def _search(
        self, search: Search, text: str | None
    ) -> list[models.ScoredPoint]:
        """Search, by a text's vector if there is one, within one call's time."""
        seconds: float = self._context.limits.statement_timeout_seconds
        if text is not None:
            begun = self._clock()
            vector = await make_vector(self._find_embedding(), text, seconds)
            search = results.with_query(search, vector)
            seconds -= self._clock() - begun
            seconds = max(seconds, LEAST_SEARCH_SECONDS)
        return await self._backend.search(search, seconds)

    def _find_embedding(self) -> EmbeddingClient:
        if self._backend.embedding is None:
            raise BadArgument(
                "query_text is not available: this hub has no embedding endpoint. Use "
                "point_id (points like that one) or query_vector."
            )
        return self._backend.embedding

    def _answer(self, body: dict[str, Any], rows: int, *, cut: bool) -> ToolResult:
        encoded = encode_object(body, rows, truncated=cut)
        self._context.note(rows=rows)
        return build_result(encoded.text)


def check_one_query(vector: object, text: object, point_id: object) -> None:
    """Refuse none and several."""
    given = (vector, text, point_id)
    if sum(each is not None for each in given) != 1:
        raise BadArgument("Pass exactly one of query_vector, query_text and point_id.")


def check_fields(with_payload: bool | list[str]) -> bool | list[str]:  # noqa: FBT001
    """Return which payload hits carry."""
    if not isinstance(with_payload, list):
        return with_payload
    if len(with_payload) > MOST_FIELDS:
        raise BadArgument(f"with_payload names at most {MOST_FIELDS} fields.")
    return [quote_path(field) for field in with_payload]


def describe_search(name: str, *, by_text: bool) -> ToolDescription:
    """Describe `<b>_search`."""
    by = "query_text (by meaning), " if by_text else ""
    return ToolDescription(
        f"{name}_search",
        f"Search {name} by similarity",
        f"Find the nearest points in one collection of the Qdrant server {name}: id, "
        f"score and payload, best first. Pass exactly one of {by}point_id (points like "
        "that one) and query_vector. filter narrows by payload fields, using names the "
        f"vector where a collection has several; {name}_collection_info tells names, "
        "sizes and indexed fields.",
        results.HITS,
    )


def describe_list(name: str) -> ToolDescription:
    """Describe `<b>_list_collections`."""
    return ToolDescription(
        f"{name}_list_collections",
        f"List the collections of {name}",
        f"List the names of the collections of the Qdrant server {name} that can be "
        "searched. Takes no arguments.",
        results.NAMES,
    )


def describe_info(name: str) -> ToolDescription:
    """Describe `<b>_collection_info`."""
    return ToolDescription(
        f"{name}_collection_info",
        f"Describe a collection of {name}",
        f"Show one collection of the Qdrant server {name}: its vectors with name, "
        "size and distance, its sparse vectors, the number of points, the indexed "
        "fields of the payload with their types, and its status.",
        results.COLLECTION,
    )
