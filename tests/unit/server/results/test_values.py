"""Values of Python and of the drivers as plain JSON."""

import datetime as dt
import enum
import ipaddress
import subprocess
import sys
import uuid
from decimal import Decimal

import asyncpg
import msgspec
import neo4j.graph
import neo4j.spatial
import neo4j.time
import pytest
from qdrant_client import models

from mcphub_server.results.values import MAX_DEPTH, TOO_DEEP, convert_value


class Colour(enum.Enum):
    RED = "red"


class Name(str):
    __slots__ = ()


class Unknown:
    pass


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, None, id="null"),
        pytest.param(True, True, id="a boolean"),
        pytest.param(2**53 + 1, 2**53 + 1, id="an integer beyond doubles"),
        pytest.param(float("nan"), "NaN", id="not a number"),
        pytest.param(Decimal("1.5"), 1.5, id="a decimal"),
        pytest.param("é", "é", id="text"),
        pytest.param(b"\x00\xff", "\\x00ff", id="bytes"),
        pytest.param(memoryview(b"a"), "\\x61", id="a view of bytes"),
        pytest.param(dt.date(2024, 1, 31), "2024-01-31", id="a date"),
        pytest.param(
            dt.datetime(2024, 1, 31, 10, tzinfo=dt.UTC),
            "2024-01-31T10:00:00+00:00",
            id="a moment",
        ),
        pytest.param(dt.time(10, 30), "10:30:00", id="a time"),
        pytest.param(dt.timedelta(days=-1, seconds=5), "-P0DT86395S", id="a span"),
        pytest.param(uuid.UUID(int=1), str(uuid.UUID(int=1)), id="a UUID"),
        pytest.param(ipaddress.ip_address("::1"), "::1", id="an address"),
        pytest.param(ipaddress.ip_network("10.0.0.0/8"), "10.0.0.0/8", id="a network"),
        pytest.param((1, [2, {"a": {3}}]), [1, [2, {"a": [3]}]], id="nested"),
        pytest.param({1: "a", None: "b"}, {"1": "a", "None": "b"}, id="odd keys"),
        pytest.param(Colour.RED, "red", id="an enum"),
        pytest.param(Name("x"), "x", id="a kind of text"),
        pytest.param(Unknown(), "[Unknown]", id="an unknown type"),
        pytest.param(asyncpg.Range(1, 5), "[1,5)", id="a range"),
        pytest.param(asyncpg.Range(empty=True), "empty", id="an empty range"),
        pytest.param(asyncpg.Range(None, 5, upper_inc=True), "(,5]", id="half a range"),
        pytest.param(asyncpg.BitString("101"), "101", id="bits"),
        pytest.param(neo4j.time.Date(2024, 1, 31), "2024-01-31", id="Neo4j's date"),
        pytest.param(
            neo4j.time.Duration(months=14, days=3, seconds=5, nanoseconds=1),
            "P1Y2M3DT5.000000001S",
            id="Neo4j's duration",
        ),
        pytest.param(
            neo4j.time.DateTime(2024, 1, 31, 10, 0, 0, 123456789),
            "2024-01-31T10:00:00.123456789",
            id="Neo4j's nanoseconds",
        ),
        pytest.param(
            neo4j.spatial.WGS84Point((11.6, 48.1)),
            {"srid": 4326, "longitude": 11.6, "latitude": 48.1},
            id="a place on the globe",
        ),
        pytest.param(
            neo4j.spatial.CartesianPoint((1.0, 2.0, 3.0)),
            {"srid": 9157, "x": 1.0, "y": 2.0, "z": 3.0},
            id="a place in space",
        ),
        pytest.param(
            models.SparseVector(indices=[1, 5], values=[0.5, 1.0]),
            {"indices": [1, 5], "values": [0.5, 1.0]},
            id="a sparse vector",
        ),
        pytest.param(
            {"dense": [0.5], "multi": [[1.0], [2.0]]},
            {"dense": [0.5], "multi": [[1.0], [2.0]]},
            id="named vectors",
        ),
        pytest.param(
            models.ScoredPoint(id=1, version=0, score=0.5, payload={"a": 1}),
            {"id": 1, "version": 0, "score": 0.5, "payload": {"a": 1}},
            id="a hit",
        ),
    ],
)
def test_a_value_is_plain_json(value, expected):
    converted = convert_value(value)

    assert converted == expected
    assert msgspec.json.encode(converted)


def build_path():
    graph = neo4j.graph.Graph()
    one = neo4j.graph.Node(graph, "4:x:1", 1, ["B", "A"], {"name": "Ann"})
    two = neo4j.graph.Node(
        graph, "4:x:2", 2, ["A"], {"at": neo4j.time.Date(2024, 1, 1)}
    )
    kind = graph.relationship_type("KNOWS")
    relationship = kind(graph, "5:x:1", 1, {"since": 2020})
    relationship._start_node, relationship._end_node = one, two
    return neo4j.graph.Path(one, relationship)


NODE = {"element_id": "4:x:1", "labels": ["A", "B"], "properties": {"name": "Ann"}}
OTHER = {"element_id": "4:x:2", "labels": ["A"], "properties": {"at": "2024-01-01"}}
KNOWS = {
    "element_id": "5:x:1",
    "type": "KNOWS",
    "start": "4:x:1",
    "end": "4:x:2",
    "properties": {"since": 2020},
}


def test_a_path_has_its_nodes_and_relationships():
    assert convert_value(build_path()) == {
        "nodes": [NODE, OTHER],
        "relationships": [KNOWS],
        "length": 1,
    }


def test_nodes_and_relationships_stand_alone():
    path = build_path()

    assert convert_value(path.start_node) == NODE
    assert convert_value(path.relationships[0]) == KNOWS


def test_a_deep_value_is_cut_before_anything_recurses():
    deep = []
    for _ in range(100_000):
        deep = [deep]

    converted = convert_value(deep)

    assert TOO_DEEP in str(converted)
    assert str(converted).count("[") <= MAX_DEPTH + 2


def test_no_driver_is_imported():
    program = (
        "import sys, mcphub_server.results.table, mcphub_server.guards.sql.check;"
        "print({'asyncpg', 'neo4j', 'qdrant_client', 'numpy'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "set()"
