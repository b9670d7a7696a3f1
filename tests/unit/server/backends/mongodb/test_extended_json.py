"""Values of MongoDB survive the way to JSON and back without a change."""

import datetime as dt
import json

import bson
import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.raw_bson import RawBSONDocument

from mcphub_server.backends.mongodb.extended_json import read_value, write_documents
from mcphub_server.errors import BadArgument

UTC = dt.UTC


async def write(value):
    raw = RawBSONDocument(bson.encode({"v": value}))
    (document,) = await write_documents([raw])
    return document["v"]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        pytest.param(Int64(2**63 - 1), 2**63 - 1, id="the largest integer"),
        pytest.param(Int64(-(2**63)), -(2**63), id="the smallest integer"),
        pytest.param(Decimal128("0.10"), {"$numberDecimal": "0.10"}, id="a decimal"),
        pytest.param(
            Decimal128("1234567890123456789012345678901234"),
            {"$numberDecimal": "1234567890123456789012345678901234"},
            id="a decimal of 34 digits",
        ),
        pytest.param(
            dt.datetime(2026, 1, 31, 12, tzinfo=UTC),
            {"$date": "2026-01-31T12:00:00Z"},
            id="a date",
        ),
        pytest.param(
            ObjectId("65a000000000000000000001"),
            {"$oid": "65a000000000000000000001"},
            id="an id",
        ),
        pytest.param(
            Binary(b"\x01\x02", 5),
            {"$binary": {"base64": "AQI=", "subType": "05"}},
            id="bytes",
        ),
        pytest.param(float("nan"), {"$numberDouble": "NaN"}, id="not a number"),
        pytest.param(float("-inf"), {"$numberDouble": "-Infinity"}, id="infinity"),
        pytest.param(Timestamp(5, 1), {"$timestamp": {"t": 5, "i": 1}}, id="a stamp"),
        pytest.param(MinKey(), {"$minKey": 1}, id="the least key"),
        pytest.param(MaxKey(), {"$maxKey": 1}, id="the greatest key"),
        pytest.param(
            Regex("^a", "i"),
            {"$regularExpression": {"pattern": "^a", "options": "i"}},
            id="a regular expression",
        ),
        pytest.param({"a": [1, None, True]}, {"a": [1, None, True]}, id="an object"),
    ],
)
async def test_a_value_is_written_exactly_and_read_back(value, plain):
    assert await write(value) == plain

    read = read_value({"v": plain}, "The filter")

    assert bson.encode(read) == bson.encode({"v": value})


async def test_a_date_beyond_pythons_years_is_exact():
    encoded = bson.encode({"v": bson.DatetimeMS(2**53)})

    (document,) = await write_documents([RawBSONDocument(encoded)])

    assert document["v"] == {"$date": {"$numberLong": str(2**53)}}


async def test_text_that_is_no_utf8_does_not_end_a_call():
    encoded = bson.encode({"v": "abc"}).replace(b"abc", b"a\xffc")

    (document,) = await write_documents([RawBSONDocument(encoded)])

    assert document == {"v": "a�c"}


async def test_large_documents_are_written_alike():
    raws = [RawBSONDocument(bson.encode({"v": "x" * 40_000})) for _ in range(3)]

    written = await write_documents(raws)

    assert [len(each["v"]) for each in written] == [40_000] * 3


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"_id": {"$oid": "short"}}, id="an id of few digits"),
        pytest.param({"d": {"$date": "yesterday"}}, id="a date that is malformed"),
        pytest.param({"n": {"$numberLong": "many"}}, id="a number that is malformed"),
        pytest.param({"n": {"$numberDecimal": "x"}}, id="a decimal that is malformed"),
        pytest.param({"b": {"$binary": {"base64": "?"}}}, id="half of a binary"),
        pytest.param({"n": 2**64}, id="65 bits"),
        pytest.param({"t": json.loads('"\\ud800"')}, id="half a character"),
    ],
)
def test_a_value_that_no_document_holds_is_told(value):
    with pytest.raises(BadArgument, match=r"The filter has a value"):
        read_value(value, "The filter")
