"""What Qdrant answers as the tools' results: small, plain, within the byte limit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mcphub_server.backends.qdrant.backend import Search
from mcphub_server.results.cells import CUT_MARK, cut_value, encode_json
from mcphub_server.results.table import MAX_CELL_BYTES
from mcphub_server.results.values import convert_value
from mcphub_server.tools.schemas import (
    BOOLEAN,
    COUNT,
    OPTIONAL_COUNT,
    STRING,
    STRINGS,
    build_list,
    build_object,
)

ENVELOPE_BYTES = 512

HITS = build_object(
    {
        "collection": STRING,
        "hits": build_list(
            build_object(
                {"id": {"type": ["integer", "string"]}, "score": {}},
                payload={},
                vectors={},
            )
        ),
        "hit_count": COUNT,
        "truncated": {
            "type": "boolean",
            "description": "Hits were left out or cut to fit.",
        },
    }
)

NAMES = build_object({"collections": STRINGS, "total": COUNT, "truncated": BOOLEAN})

COLLECTION = build_object(
    {
        "name": STRING,
        "status": STRING,
        "points_count": OPTIONAL_COUNT,
        "vectors": build_list(
            build_object(
                {
                    "name": STRING,
                    "size": COUNT,
                    "distance": STRING,
                    "multivector": BOOLEAN,
                }
            )
        ),
        "sparse_vectors": STRINGS,
        "payload_schema": {
            "type": "object",
            "additionalProperties": {"type": "string"},
        },
    }
)


def with_query(search: Search, query: object) -> Search:
    """Return the search for what a text became."""
    return replace(search, query=query)


def describe_hits(
    collection: str, hits: Sequence[Any], max_bytes: int
) -> tuple[dict[str, Any], bool]:
    """Return as many leading hits as fit, and whether anything was cut."""
    room = max_bytes - ENVELOPE_BYTES
    fitting: list[dict[str, Any]] = []
    cut = False
    for hit in hits:
        described = describe_hit(hit, min(MAX_CELL_BYTES, room // 2))
        size = len(encode_json(described)) + 1
        if size > room:
            cut = True
            break
        room -= size
        fitting.append(described)
    cut = cut or CUT_MARK.encode() in encode_json(fitting)
    body = {
        "collection": collection,
        "hits": fitting,
        "hit_count": len(fitting),
        "truncated": cut,
    }
    return body, cut


def describe_hit(hit: Any, cell_bytes: int) -> dict[str, Any]:
    """Return one hit: id, score, and what was asked for besides."""
    described: dict[str, Any] = {"id": hit.id, "score": convert_value(hit.score)}
    if hit.payload is not None:
        described["payload"] = cut_value(convert_value(hit.payload), cell_bytes)
    if hit.vector is not None:
        described["vectors"] = cut_value(convert_value(hit.vector), cell_bytes)
    return described


def describe_names(names: Sequence[str], max_bytes: int) -> tuple[dict[str, Any], bool]:
    """Return as many names as fit."""
    room = max_bytes - ENVELOPE_BYTES
    fitting: list[str] = []
    for name in names:
        room -= len(encode_json(name)) + 1
        if room < 0:
            break
        fitting.append(name)
    cut = len(fitting) < len(names)
    return {"collections": fitting, "total": len(names), "truncated": cut}, cut


def describe_collection(
    name: str, info: Mapping[str, Any], *, counted: bool
) -> dict[str, Any]:
    """Return what a search needs to know of a collection; unknown parts stay out.

    Not `counted`: the points are not the caller's alone, and their number stays out.
    """
    parameters = find_object(find_object(info, "config"), "params")
    fields = find_object(info, "payload_schema")
    return {
        "name": name,
        "status": str(info.get("status") or "unknown"),
        "points_count": info.get("points_count") if counted else None,
        "vectors": describe_vectors(parameters.get("vectors")),
        "sparse_vectors": sorted(find_object(parameters, "sparse_vectors")),
        "payload_schema": {
            field: str(find_object(fields, field).get("data_type") or "unknown")
            for field in sorted(fields)
        },
    }


def find_object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return an object within another; empty if it does not exist."""
    found = parent.get(key)
    return found if isinstance(found, dict) else {}


def describe_vectors(vectors: Any) -> list[dict[str, Any]]:
    """Return each vector's parameters; the unnamed one's name is empty."""
    if not isinstance(vectors, dict):
        return []
    named = {"": vectors} if "size" in vectors else vectors
    return [
        {
            "name": name,
            "size": each.get("size") or 0,
            "distance": str(each.get("distance") or "unknown"),
            "multivector": each.get("multivector_config") is not None,
        }
        for name, each in sorted(named.items())
        if isinstance(each, dict)
    ]
