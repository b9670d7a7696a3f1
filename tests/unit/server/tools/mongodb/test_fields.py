"""A sample tells paths and types, and no value."""

import datetime as dt

from bson import Binary, Decimal128, Int64, ObjectId

from mcphub_server.tools.mongodb.fields import MAX_FIELDS, describe_fields


def test_fields_have_every_type_that_they_are_seen_with():
    fields, cut = describe_fields([{"a": 1}, {"a": "canary"}, {"b": None}])

    assert not cut
    assert fields == [
        {"path": "a", "types": ["int", "string"], "present": 2},
        {"path": "b", "types": ["null"], "present": 1},
    ]


def test_nested_fields_have_dotted_paths_also_within_arrays():
    fields, _ = describe_fields([{"items": [{"sku": "x"}, {"n": 1}]}])

    assert [(each["path"], each["types"]) for each in fields] == [
        ("items", ["array of object"]),
        ("items.sku", ["string"]),
        ("items.n", ["int"]),
    ]


def test_types_have_mongodbs_names():
    values = {
        "long": Int64(1),
        "double": 1.5,
        "decimal": Decimal128("1"),
        "objectId": ObjectId(),
        "date": dt.datetime.now(dt.UTC),
        "binData": Binary(b"x"),
        "bool": True,
        "array of int": [1],
        "array": [],
        "object": {},
    }

    fields, _ = describe_fields([values])

    assert {each["path"]: each["types"] for each in fields} == {
        name: [name] for name in values
    }


def test_the_number_of_fields_is_bounded():
    fields, cut = describe_fields([{f"f{n}": n for n in range(1_000)}])

    assert cut
    assert len(fields) == MAX_FIELDS
