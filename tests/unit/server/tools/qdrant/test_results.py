"""Hits within the byte limit, and nothing lost silently."""

from typing import Any

from qdrant_client.http import models

from mcphub_server.results.cells import encode_json
from mcphub_server.tools.qdrant.results import (
    describe_collection,
    describe_hits,
    describe_names,
)

LIMIT = 4096


def hit(number: int, **parts: Any) -> models.ScoredPoint:
    return models.ScoredPoint(id=number, version=0, score=0.5, **parts)


def test_hits_have_only_what_was_asked_for() -> None:
    body, cut = describe_hits("docs", [hit(1)], LIMIT)

    assert body["hits"] == [{"id": 1, "score": 0.5}]
    assert not cut


def test_a_sparse_vector_is_indices_and_values() -> None:
    vector = {"words": models.SparseVector(indices=[1], values=[0.5])}

    body, _ = describe_hits("docs", [hit(1, vector=vector)], LIMIT)

    assert body["hits"][0]["vectors"] == {"words": {"indices": [1], "values": [0.5]}}


def test_hits_that_do_not_fit_are_left_out_and_told() -> None:
    hits = [hit(n, payload={"text": "x" * 500}) for n in range(20)]

    body, cut = describe_hits("docs", hits, LIMIT)

    assert cut
    assert body["truncated"]
    assert 0 < body["hit_count"] < 20
    assert len(encode_json(body)) <= LIMIT


def test_one_payload_larger_than_the_limit_is_cut_and_marked() -> None:
    body, cut = describe_hits("docs", [hit(1, payload={"text": "x" * 9000})], LIMIT)

    assert cut
    assert body["hits"][0]["payload"].endswith("[cut]")


def test_names_that_do_not_fit_are_counted() -> None:
    names = [f"collection-{n}" for n in range(1000)]

    body, cut = describe_names(names, LIMIT)

    assert cut
    assert body["total"] == 1000
    assert len(body["collections"]) < 1000


NEWER = {
    "status": "violet",
    "points_count": 7,
    "config": {
        "params": {
            "vectors": {"a": {"size": 4, "distance": "Chebyshev"}, "b": "later"},
            "sparse_vectors": None,
        }
    },
    "payload_schema": {
        "where": {"data_type": "hexagon", "points": 1},
        "odd": {"index": "later"},
    },
}


def test_c2_what_a_newer_release_tells_is_passed_on_as_it_is():
    described = describe_collection("docs", NEWER, counted=True)

    assert described["status"] == "violet"
    assert described["vectors"] == [
        {"name": "a", "size": 4, "distance": "Chebyshev", "multivector": False}
    ]
    assert described["sparse_vectors"] == []
    assert described["payload_schema"] == {"odd": "unknown", "where": "hexagon"}


def test_c2_a_description_may_lack_everything():
    assert describe_collection("docs", {}, counted=True)["vectors"] == []
