"""The tools of a MongoDB backend: find, aggregate, list and describe collections."""

from typing import Annotated, Any

from fastmcp.tools.base import Tool, ToolResult
from pydantic import Field, WithJsonSchema

from mcphub_server.backends.mongodb.backend import (
    Find,
    MongodbBackend,
)
from mcphub_server.backends.mongodb.extended_json import read_value
from mcphub_server.guards.mongodb.expressions import (
    check_filter,
    check_projection,
    check_sort,
)
from mcphub_server.guards.mongodb.names import check_collection
from mcphub_server.guards.mongodb.pipeline import check_pipeline
from mcphub_server.results.fitting import fit_object
from mcphub_server.tools.arguments import LONGEST_WORD, read_object
from mcphub_server.tools.building import ToolDescription, build_tool
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.mongodb import results
from mcphub_server.tools.mongodb.describing import SAMPLE_SIZE, CollectionReader
from mcphub_server.tools.mongodb.pages import (
    PageRequest,
    build_page,
    encode,
    find_bounds,
    read_page,
)
from mcphub_server.tools.paging import Cursor, Limit, Pager, fingerprint

Collection = Annotated[
    str,
    Field(
        description="The collection's name, as the list gives it.",
        min_length=1,
        max_length=LONGEST_WORD,
    ),
]


def describe_fields_of(kind: str, meaning: str) -> dict[str, Any]:
    """Return what clients want of an object with any names: one, as an example."""
    text = f"{meaning} Any other field may be named alike."
    return {"properties": {"_id": {"type": kind, "description": text}}}


Filter = Annotated[
    dict[str, Any] | None,
    Field(
        description='Which documents, such as {"status": "open", "n": {"$gt": 1}}; '
        'ids as {"$oid": "…"}, dates as {"$date": "2026-01-31T12:00:00Z"}.',
        json_schema_extra=describe_fields_of("string", "A value, or a condition."),
    ),
]
Projection = Annotated[
    dict[str, Any] | None,
    Field(
        description='Which fields: {"name": 1, "address.city": 1} or {"blob": 0}.',
        json_schema_extra=describe_fields_of("integer", "1 shows it, 0 hides it."),
    ),
]
Sort = Annotated[
    dict[str, Any] | None,
    Field(
        description='The order: {"placed": -1, "_id": 1}; give one when you page.',
        json_schema_extra=describe_fields_of("integer", "1 ascends, -1 descends."),
    ),
]
Pipeline = Annotated[
    list[dict[str, Any] | str],
    WithJsonSchema(
        {
            "type": "array",
            "description": "Stages, each as its JSON text, such as "
            '{"$match": {"open": true}}, {"$group": {"_id": "$city", "n": {"$sum": '
            '1}}} and {"$sort": {"n": -1}}.',
            "items": {"type": "string", "description": "One stage."},
        }
    ),
]


def build_tools(backend: MongodbBackend, context: ToolContext) -> list[Tool]:
    """Make the four tools of one backend."""
    tools = MongodbTools(backend, context)
    name = backend.name
    return [
        build_tool(describe_find(name), tools.find),
        build_tool(describe_aggregate(name), tools.aggregate),
        build_tool(describe_list(name), tools.list_collections),
        build_tool(describe_describe(name), tools.describe_collection),
    ]


class MongodbTools:
    """What the tools of one backend share."""

    def __init__(self, backend: MongodbBackend, context: ToolContext) -> None:
        self._backend = backend
        self._context = context
        self._reader = CollectionReader(backend, context)

    async def find(
        self,
        collection: Collection,
        filter: Filter = None,  # noqa: A002 -- MongoDB's word, and the tool's contract
        projection: Projection = None,
        sort: Sort = None,
        limit: Limit = None,
        cursor: Cursor = None,
    ) -> ToolResult:
        mark = fingerprint(collection, filter, projection, list((sort or {}).items()))
        self._context.note(fingerprint=mark)
        pager = Pager(self._context, f"{self._backend.name}_find", mark)
        offset = pager.find_offset(cursor)
        find = Find(
            self._check_collection(collection),
            read_value(check_filter(filter or {}), "The filter"),
            read_value(check_projection(projection), "The projection")
            if projection
            else None,
            read_value(check_sort(sort), "The sort order") if sort else None,
            offset,
        )
        bounds = find_bounds(self._context.limits, pager.find_limit(limit))
        found = await self._context.run(
            self._backend, lambda: self._backend.find(find, bounds)
        )
        return await build_page(found, pager, offset)

    async def aggregate(
        self,
        collection: Collection,
        pipeline: Pipeline,
        limit: Limit = None,
        cursor: Cursor = None,
    ) -> ToolResult:
        stages = [read_object("A stage", each) for each in pipeline]
        # order matters within a stage's sort, which a sorted text would not show
        mark = fingerprint(collection, str(stages))
        self._context.note(fingerprint=mark)
        pager = Pager(self._context, f"{self._backend.name}_aggregate", mark)
        pager.find_offset(cursor)  # a foreign cursor is told before a bad pipeline
        name = self._check_collection(collection)
        checked = check_pipeline(stages, self._backend.config.collections)
        request = PageRequest(name, read_value(checked, "The pipeline"), limit, cursor)
        return await read_page(self._backend, pager, request)

    async def list_collections(self) -> ToolResult:
        body, cut = results.describe_collections(
            await self._reader.list_collections(),
            self._context.limits.max_result_bytes,
        )
        return self._encode(body, len(body["collections"]), cut=cut)

    async def describe_collection(self, collection: Collection) -> ToolResult:
        name = self._check_collection(collection)
        body = await self._reader.describe(name)
        fitting = fit_object(
            body, ("fields", "indexes"), self._context.limits.max_result_bytes
        )
        return self._encode(fitting, 1, cut=bool(fitting["truncated"]))

    def _check_collection(self, collection: str) -> str:
        return check_collection(collection, self._backend.config.collections)

    def _encode(self, body: dict[str, Any], rows: int, *, cut: bool) -> ToolResult:
        return encode(self._context, body, rows, cut=cut)


def describe_find(name: str) -> ToolDescription:
    """Describe `<b>_find`."""
    return ToolDescription(
        f"{name}_find",
        f"Find documents in {name}",
        f"Find documents in one collection of the MongoDB database {name}, with a "
        "filter, a projection and a sort order in MongoDB's query language. Documents "
        "come as relaxed Extended JSON: ids as {$oid}, dates as {$date}, decimals as "
        "{$numberDecimal}, which a filter takes as they come. Operators that run "
        "JavaScript are refused. Results are limited: when truncated is true, pass "
        f"next_cursor for what follows. Use {name}_aggregate to count, group or join, "
        f"{name}_describe_collection for the fields.",
        results.DOCUMENTS,
    )


def describe_aggregate(name: str) -> ToolDescription:
    """Describe `<b>_aggregate`."""
    return ToolDescription(
        f"{name}_aggregate",
        f"Aggregate documents of {name}",
        f"Run an aggregation pipeline on one collection of the MongoDB database {name}:"
        " $match, $group, $sort, $unwind, $lookup and other stages that only read, "
        "into collections of this database. Stages that write ($out, $merge) or look "
        "at the server, and operators that run JavaScript, are refused with the rule "
        "and a way out. Documents come as relaxed Extended JSON. Results are limited: "
        "when truncated is true, pass next_cursor, and sort in the pipeline.",
        results.DOCUMENTS,
    )


def describe_list(name: str) -> ToolDescription:
    """Describe `<b>_list_collections`."""
    return ToolDescription(
        f"{name}_list_collections",
        f"List the collections of {name}",
        f"List name and type (collection, view, timeseries) of the collections of the "
        f"MongoDB database {name} that can be read. Takes no arguments.",
        results.COLLECTIONS,
    )


def describe_describe(name: str) -> ToolDescription:
    """Describe `<b>_describe_collection`."""
    return ToolDescription(
        f"{name}_describe_collection",
        f"Describe a collection of {name}",
        f"Show one collection of the MongoDB database {name}: the fields that a sample "
        f"of up to {SAMPLE_SIZE} documents has, with their types and in how many of "
        "them they are present, the indexes, and the estimated number of documents.",
        results.COLLECTION,
    )
