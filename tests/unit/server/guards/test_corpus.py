"""The public corpus against the guards alone, before any database has a say."""

from inspect import signature
from typing import Any

import pytest

from mcphub_server.errors import BadArgument, ToolFailure
from mcphub_server.guards.cypher.check import check_cypher
from mcphub_server.guards.mongodb import expressions
from mcphub_server.guards.mongodb.names import check_collection
from mcphub_server.guards.mongodb.pipeline import check_pipeline
from mcphub_server.guards.qdrant.filters import check_filter
from mcphub_server.guards.qdrant.names import (
    check_collection_name,
    check_limit,
    check_vector_name,
)
from mcphub_server.guards.qdrant.vectors import check_vector
from mcphub_server.guards.sql.check import check_sql
from mcphub_server.tools.qdrant.toolset import QdrantTools
from tests.support.corpus import CorpusItem, load_corpus

# What a guard lets pass because a limit contains it: rows, bytes or time.
CONTAINED_LATER = {
    "cy-043", "cy-045",
    "mg-061", "mg-062",
    "pg-082", "pg-083", "pg-084", "pg-085", "pg-087",
    "qd-030",
}  # fmt: skip


SEARCH_ARGUMENTS = signature(QdrantTools.search).parameters


def check(item: CorpusItem) -> None:
    if item.backend == "postgres":
        check_sql(item.text, len(item.parameters or ()))
    elif item.backend == "neo4j" and item.label is None:
        check_cypher(item.text)
    elif item.backend == "mongodb":
        check_mongodb(item.arguments or {})
    elif item.arguments is not None:
        check_search(item.arguments)


def check_search(arguments: dict[str, Any]) -> None:
    allowed = ("docs", "public")
    checks = {
        "collection": lambda name: check_collection_name(name, allowed),
        "vector": check_vector,
        "filter": check_filter,
        "using": check_vector_name,
        "limit": lambda limit: check_limit(limit, 1_000),
    }
    if "lookup_from" in arguments and "lookup_from" not in SEARCH_ARGUMENTS:
        raise BadArgument("The tool has no such argument, and takes no unknown ones.")
    for name, value in arguments.items():
        if name in checks:
            checks[name](value)


def check_mongodb(arguments: dict[str, Any]) -> None:
    allowed = ("customers", "orders")
    checks = {
        "collection": lambda name: check_collection(name, allowed),
        "filter": expressions.check_filter,
        "projection": expressions.check_projection,
        "sort": expressions.check_sort,
        "pipeline": lambda pipeline: check_pipeline(pipeline, allowed),
    }
    assert arguments
    for name, value in arguments.items():
        checks[name](value)


def items(*expected: str) -> list[Any]:
    found = [
        item
        for backend in ("postgres", "neo4j", "qdrant", "mongodb")
        for item in load_corpus(backend)
        if item.expected in expected and item.label is None
    ]
    return [pytest.param(item, id=f"{item.id}: {item.why}") for item in found]


@pytest.mark.parametrize("item", items("reject"))
def test_what_must_be_rejected_is_rejected_with_a_way_out(item):
    with pytest.raises(ToolFailure) as refusal:
        check(item)

    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize("item", items("allow"))
def test_what_must_work_passes(item):
    check(item)


@pytest.mark.parametrize("item", items("safe-error"))
def test_what_must_be_contained_is_refused_or_known_to_be_contained_later(item):
    if item.id in CONTAINED_LATER:
        check(item)
    else:
        with pytest.raises(ToolFailure):
            check(item)
