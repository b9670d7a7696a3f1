"""Documents as the tools' results: fitted to their byte limit, fields first."""

from collections.abc import Callable, Sequence
from typing import Any

from mcphub_server.results.cells import CUT_MARK, cut_value, encode_json
from mcphub_server.results.table import MAX_CELL_BYTES
from mcphub_server.tools.schemas import (
    COUNT,
    PAGING,
    STRING,
    STRINGS,
    build_list,
    build_object,
)

ENVELOPE_BYTES = 512
LEAST_FIELD_BYTES = 64

DOCUMENTS = build_object({"documents": build_list({"type": "object"}), **PAGING})

COLLECTIONS = build_object(
    {
        "collections": build_list(build_object({"name": STRING, "type": STRING})),
        "total": COUNT,
        "truncated": {"type": "boolean"},
    }
)

COLLECTION = build_object(
    {
        "name": STRING,
        "estimated_count": COUNT,
        "sampled": COUNT,
        "fields": build_list(
            build_object({"path": STRING, "types": STRINGS, "present": COUNT})
        ),
        "indexes": build_list(
            build_object(
                {
                    "name": STRING,
                    "keys": {"type": "object"},
                    "unique": {"type": "boolean"},
                }
            )
        ),
        "truncated": {"type": "boolean"},
    }
)

Document = dict[str, Any]


def describe_documents(
    documents: Sequence[Document],
    max_bytes: int,
    *,
    more: bool,
    cursor_after: Callable[[int], str],
) -> tuple[Document, bool]:
    """Return as many leading documents as fit, and whether anything is missing."""
    fitting = fit_documents(documents, max_bytes - ENVELOPE_BYTES)
    left = more or len(fitting) < len(documents)
    truncated = left or CUT_MARK.encode() in encode_json(fitting)
    body = {
        "documents": fitting,
        "row_count": len(fitting),
        "truncated": truncated,
        "next_cursor": cursor_after(len(fitting)) if left else None,
    }
    return body, truncated


def fit_documents(documents: Sequence[Document], room: int) -> list[Document]:
    """Return the leading documents whose JSON fits; the first always, cut."""
    fitting: list[Document] = []
    for document in documents:
        cut = cut_fields(document, min(MAX_CELL_BYTES, room))
        size = len(encode_json(cut)) + 1
        if size > room:
            return fitting or [shrink(document, room)]
        room -= size
        fitting.append(cut)
    return fitting


def cut_fields(document: Document, max_bytes: int) -> Document:
    """Return a document none of whose fields is longer."""
    return {key: cut_value(value, max_bytes) for key, value in document.items()}


def shrink(document: Document, room: int) -> Document:
    """Return what fits of one document: each field's share, then the first fields."""
    share = max(room // max(len(document), 1) // 2, LEAST_FIELD_BYTES)
    kept: Document = {}
    for key, value in cut_fields(document, share).items():
        room -= len(encode_json({key: value}))
        if room < 0:
            return {**kept, CUT_MARK: len(document) - len(kept)}
        kept[key] = value
    return kept


def describe_collections(
    collections: Sequence[Document], max_bytes: int
) -> tuple[Document, bool]:
    """Return as many names with types as fit."""
    room = max_bytes - ENVELOPE_BYTES
    fitting: list[Document] = []
    for each in collections:
        room -= len(encode_json(each)) + 1
        if room < 0:
            break
        fitting.append(each)
    cut = len(fitting) < len(collections)
    return {"collections": fitting, "total": len(collections), "truncated": cut}, cut
