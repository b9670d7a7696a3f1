"""The Qdrant guard: names, vectors, ids and filters."""

# ruff: noqa: E501 -- one filter a line keeps the table readable

from functools import reduce

import pytest
from qdrant_client import models

from mcphub_server.errors import BadArgument, Rejected, ToolFailure
from mcphub_server.guards.qdrant.filters import check_filter
from mcphub_server.guards.qdrant.names import (
    check_collection_name,
    check_limit,
    check_point_id,
    check_vector_name,
)
from mcphub_server.guards.qdrant.vectors import check_vector
from tests.support.effort import at_most

UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"


@pytest.mark.parametrize(
    "name",
    [
        "docs",
        "my-docs_2.v1",
        "Straße",
        "文档",
        "team docs",
        "a@b",
        "x+y=z",
        "R&D notes (2024)",
        "C#_docs",
        "a%2Fb",
        "a;b",
        " a",
        "...",
    ],
)
def test_a_collections_name_passes(name):
    assert check_collection_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="nothing"),
        pytest.param(".", id="a dot"),
        pytest.param("..", id="two dots"),
        pytest.param("../aliases", id="a parent"),
        pytest.param("a/b", id="a slash"),
        pytest.param("a\\b", id="a backslash"),
        pytest.param("a?wait=true", id="a question mark"),
        pytest.param("a\nb", id="a line break"),
        pytest.param("a\x7fb", id="a delete character"),
        pytest.param("a\0", id="a NUL character"),
        pytest.param("a\ud800", id="half a surrogate pair"),
        pytest.param("x" * 256, id="256 letters"),
        pytest.param(5, id="a number"),
        pytest.param(None, id="null"),
        pytest.param(["docs"], id="a list"),
    ],
)
def test_what_no_collection_is_called_is_rejected(name):
    with pytest.raises(Rejected):
        check_collection_name(name)


def test_a_collection_that_is_not_the_hubs_is_rejected_with_those_that_are():
    with pytest.raises(Rejected, match=r"docs, news"):
        check_collection_name("secret", ("news", "docs"))


@pytest.mark.parametrize("name", ["", "a/b", None, {"a": 1}])
def test_what_is_no_vectors_name_is_rejected(name):
    with pytest.raises(Rejected):
        check_vector_name(name)


@pytest.mark.parametrize(
    ("given", "kept"),
    [(0, 0), (7, 7), ("12", 12), (2**64 - 1, 2**64 - 1), (UUID.upper(), UUID)],
)
def test_a_points_id_is_a_number_or_a_uuid(given, kept):
    assert check_point_id(given) == kept


@pytest.mark.parametrize("point_id", [-1, 2**64, 1.5, True, "x", "", None, [1], "²"])
def test_another_points_id_is_refused(point_id):
    with pytest.raises(BadArgument):
        check_point_id(point_id)


@pytest.mark.parametrize("limit", [1, 100])
def test_a_limit_within_bounds_passes(limit):
    assert check_limit(limit, 100) == limit


@pytest.mark.parametrize(
    "limit",
    [
        0,
        -1,
        101,
        10**9,
        pytest.param(10**5_000, id="5,000 digits"),
        True,
        1.5,
        "5",
        None,
    ],
)
def test_a_limit_out_of_bounds_is_refused(limit):
    with pytest.raises(BadArgument):
        check_limit(limit, 100)


@pytest.mark.parametrize(
    "vector",
    [
        [0.1, 2, -3.5],
        [[1.0, 2.0], [3.0, 4.0]],
        {"indices": [1, 5], "values": [0.5, 1.0]},
    ],
)
def test_a_vector_passes(vector):
    assert check_vector(vector) == vector


@pytest.mark.parametrize(
    "vector",
    [
        pytest.param([], id="nothing"),
        pytest.param(["a", None], id="no numbers"),
        pytest.param([True], id="a boolean"),
        pytest.param([float("nan")], id="not a number"),
        pytest.param([float("inf")], id="infinity"),
        pytest.param([10**400], id="a number beyond floats"),
        pytest.param([[1.0], [1.0, 2.0]], id="rows of different lengths"),
        pytest.param([[1.0], 2.0], id="a row and a number"),
        pytest.param([1.0] * 70_000, id="too many numbers"),
        pytest.param([[1.0]] * 2_000, id="too many vectors"),
        pytest.param({"indices": [1], "values": []}, id="indices without values"),
        pytest.param({"indices": [1, 1], "values": [1, 2]}, id="an index twice"),
        pytest.param({"indices": [-1], "values": [1]}, id="an index below zero"),
        pytest.param({"indices": 1, "values": [1]}, id="an index that is no list"),
        pytest.param({"values": [1]}, id="half a sparse vector"),
        pytest.param("0.1,0.2", id="text"),
        pytest.param(None, id="null"),
    ],
)
def test_another_vector_is_refused(vector):
    with pytest.raises(BadArgument):
        check_vector(vector)


def test_too_many_vectors_are_counted_and_not_read():
    class Unread(list):
        def __iter__(self):
            raise AssertionError("it was read")

    with pytest.raises(BadArgument, match="more than"):
        check_vector([Unread([0.0] * 1_000)] * 1_000)


POINT = {"lat": 48.1, "lon": 11.6}
LINE = {"points": [POINT, {"lat": 1, "lon": 1}, {"lat": 2, "lon": 1}, POINT]}
FILTERS = {
    "a match": {"must": [{"key": "city", "match": {"value": "London"}}]},
    "one condition without a list": {"must": {"key": "n", "match": {"value": 1}}},
    "all clauses": {
        "must": [{"key": "a", "match": {"value": True}}],
        "must_not": [{"key": "n", "range": {"gt": 100, "lte": 200.5}}],
        "should": [{"is_empty": {"key": "x"}}, {"is_null": {"key": "y"}}],
    },
    "lists": {"must": [{"key": "a", "match": {"any": ["x", "y"]}}]},
    "exceptions": {"must": [{"key": "a", "match": {"except": [1, 2]}}]},
    "text": {"must": [{"key": "a", "match": {"text": "cats"}}]},
    "dates": {"must": [{"key": "at", "range": {"gte": "2024-01-01T00:00:00Z"}}]},
    "ids": {"must": [{"has_id": [1, UUID]}]},
    "vectors": {"must": [{"has_vector": "dense"}]},
    "counts": {"must": [{"key": "tags", "values_count": {"gte": 2}}]},
    "a filter in a filter": {"must": [{"should": [{"key": "a[].b", "match": {"value": 1}}]}]},
    "a nested object": {
        "must": [
            {
                "nested": {
                    "key": "diet",
                    "filter": {"must": [{"key": "food", "match": {"value": "meat"}}]},
                }
            }
        ]
    },
    "a minimum": {
        "min_should": {
            "conditions": [{"key": "a", "match": {"value": 1}}],
            "min_count": 1,
        }
    },
    "a circle": {"must": [{"key": "g", "geo_radius": {"center": POINT, "radius": 5}}]},
    "a box": {"must": [{"key": "g", "geo_bounding_box": {"top_left": POINT, "bottom_right": POINT}}]},
    "a polygon": {"must": [{"key": "g", "geo_polygon": {"exterior": LINE, "interiors": [LINE]}}]},
}  # fmt: skip


@pytest.mark.parametrize("raw", [pytest.param(v, id=k) for k, v in FILTERS.items()])
def test_a_filter_passes_and_is_one_for_the_client_too(raw):
    checked = check_filter(raw)

    assert checked == raw
    models.Filter(**checked)


def nested(depth: int):
    leaf = {"key": "n", "match": {"value": 1}}
    return reduce(lambda inner, _: {"must": [inner]}, range(depth), leaf)


BAD_FILTERS = {
    "no object": [],
    "null": None,
    "nothing": {},
    "a misspelled clause": {"mst": []},
    "a misspelled predicate": {"must": [{"key": "a", "mach": {"value": 1}}]},
    "a misspelled match": {"must": [{"key": "a", "match": {"val": 1}}]},
    "a misspelled range": {"must": [{"key": "a", "range": {"above": 1}}]},
    "two predicates": {"must": [{"key": "a", "match": {"value": 1}, "range": {"gt": 1}}]},
    "no predicate": {"must": [{"key": "a"}]},
    "an empty condition": {"must": [{}]},
    "a condition that is text": {"must": ["a = 1"]},
    "a float to match": {"must": [{"key": "a", "match": {"value": 1.5}}]},
    "a key of nothing": {"must": [{"key": "", "match": {"value": 1}}]},
    "a key with a control character": {"must": [{"key": "a\n", "match": {"value": 1}}]},
    "a key that is a number": {"must": [{"key": 1, "match": {"value": 1}}]},
    "ids that are invalid": {"must": [{"has_id": ["x"]}]},
    "a latitude beyond the pole": {"must": [{"key": "g", "geo_radius": {"center": {"lat": 999, "lon": 0}, "radius": 5}}]},
    "a radius below zero": {"must": [{"key": "g", "geo_radius": {"center": POINT, "radius": -5}}]},
    "an infinite radius": {"must": [{"key": "g", "geo_radius": {"center": POINT, "radius": float("inf")}}]},
    "a latitude beyond floats": {"must": [{"key": "g", "geo_radius": {"center": {"lat": 10**400, "lon": 0}, "radius": 5}}]},
    "a radius beyond floats": {"must": [{"key": "g", "geo_radius": {"center": POINT, "radius": 10**400}}]},
    "an open polygon": {"must": [{"key": "g", "geo_polygon": {"exterior": {"points": [POINT]}}}]},
    "a depth of 200": nested(200),
    "a depth of 2,000": nested(2_000),
    "a depth of 100,000": nested(100_000),
    "10,000 conditions": {"should": [{"key": "n", "match": {"value": 1}}] * 10_000},
    "100,000 values": {"must": [{"key": "n", "match": {"any": list(range(100_000))}}]},
    "a long text": {"must": [{"key": "n", "match": {"text": "x" * 100_000}}]},
    "a number to match beyond whole numbers": {"must": [{"key": "n", "match": {"value": 10**400}}]},
    "a range beyond floats": {"must": [{"key": "n", "range": {"gt": 10**400}}]},
    "a range of infinity": {"must": [{"key": "n", "range": {"lt": float("inf")}}]},
    "a range of no number": {"must": [{"key": "n", "range": {"lt": float("nan")}}]},
    "a count beyond whole numbers": {"must": [{"key": "n", "values_count": {"gt": 10**400}}]},
    "a minimum beyond whole numbers": {"min_should": {"conditions": [], "min_count": 10**400}},
    "an id beyond whole numbers": {"must": [{"has_id": [10**5_000]}]},
    "a minimum of text": {"min_should": {"conditions": [], "min_count": "1"}},
    "a nested filter without a key": {"must": [{"nested": {"filter": {}}}]},
}  # fmt: skip


@pytest.mark.parametrize("raw", [pytest.param(v, id=k) for k, v in BAD_FILTERS.items()])
def test_another_filter_is_refused_at_once_and_in_a_sentence(raw):
    with at_most(125), pytest.raises(ToolFailure) as refusal:
        check_filter(raw)

    assert len(str(refusal.value)) < 400


def test_c3_ids_of_a_filter_are_numbers_where_they_can_be():
    uuid = "5c56c793-69f3-4fbf-87e6-c4bf54c28c26"
    condition = {"has_id": ["2", 3, uuid]}

    read = check_filter({"must": [condition, {"must_not": [condition]}]})

    ids = {"has_id": [2, 3, uuid]}
    assert read == {"must": [ids, {"must_not": [ids]}]}
