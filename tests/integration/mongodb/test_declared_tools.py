"""Declared tools on FerretDB, a double of MongoDB.

The double lacks `$literal`, so values in expressions rest on the guard's own tests.
"""

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.support.hub import TOKEN, LoopHub, hub_in_loop

from .conftest import MakeHub


def tool(name: str, *stages: Any, **changes: Any) -> dict[str, Any]:
    collection = changes.pop("collection", "orders")
    return {
        "name": name,
        "description": "For tests.",
        "backend": "mongodb",
        "statement": json.dumps({"aggregate": collection, "pipeline": list(stages)}),
        **changes,
    }


def parameter(name: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def use(name: str) -> dict[str, str]:
    return {"$param": name}


ORDERS = tool(
    "orders_of",
    {
        "$match": {
            "customer": use("customer"),
            "placed": {"$gte": use("since")},
            "total": {"$lt": use("below")},
            "address.city": {"$in": use("cities")},
        }
    },
    {"$sort": {"_id": 1}},
    {"$project": {"_id": 0, "number": 1, "placed": 1, "total": 1}},
    parameters=[
        parameter("customer", "integer", minimum=1),
        parameter("since", "date", default="2026-01-01"),
        parameter("below", "number", default="1000000"),
        parameter("cities", "array", items={"type": "string"}),
    ],
    limits={"maxRows": 4},
)
CITY = tool(
    "city",
    {"$match": {"address.city": use("city")}},
    {"$project": {"_id": 0, "address.city": 1}},
    {"$limit": 1},
    parameters=[parameter("city")],
)
MINE = tool(
    "mine",
    {"$match": {"name": use("me")}},
    collection="customers",
    parameters=[parameter("me", fromClaim="sub")],
)
BAD = [
    (tool("writes", {"$out": "copy"}), "StatementRejected", "$out"),
    (tool("spies", collection="secrets"), "StatementRejected", "secrets"),
    (tool("misses", {"$match": {"a": use("x")}}), "StatementRejected", "x"),
    (
        tool("unused", parameters=[parameter("x")]),
        "StatementRejected",
        "parameters are not those",
    ),
    (tool("no_json", statement="db.orders.find()"), "StatementRejected", "no JSON"),
    (
        tool("bad_id", {"$match": {"_id": {"$oid": "x"}}}),
        "StatementRejected",
        "MongoDB does not take",
    ),
]


async def wait_until_checked(hub: LoopHub) -> dict[str, dict[str, str]]:
    async with httpx.AsyncClient(timeout=60) as http:
        etag = ""
        while True:
            headers = {"If-None-Match": etag, "Prefer": "wait=30"} if etag else {}
            answer = await http.get(f"{hub.management}/status", headers=headers)
            etag = answer.headers["etag"]
            if answer.status_code != httpx.codes.OK:
                continue
            tools = {each["name"]: each for each in answer.json()["tools"]}
            if all(each["state"] != "Unchecked" for each in tools.values()):
                return tools


async def test_pipelines_with_typed_parameters(mongodb_files: MakeHub) -> None:
    files = replace(mongodb_files(), live={"tools": [ORDERS]})
    given = {"customer": 3, "cities": ["Rome", "Paris"], "below": 20.5}
    async with hub_in_loop(files) as hub, hub.client() as client:
        states = await wait_until_checked(hub)
        listed = {each.name: each for each in await client.list_tools()}
        first = await client.call_tool("orders_of", given)
        cursor = first.structured_content["next_cursor"]
        second = await client.call_tool("orders_of", given | {"cursor": cursor})
        later = await client.call_tool("orders_of", given | {"since": "2026-01-20"})
        refused = await client.call_tool_mcp("orders_of", given | {"customer": "three"})

    shown = json.dumps(listed["orders_of"].model_dump(mode="json", by_alias=True))
    pages = [each.structured_content["documents"] for each in (first, second)]
    totals = [each["total"] for page in pages for each in page]
    assert states["orders_of"]["state"] == "Ready", states
    assert "address.city" not in shown
    assert "documents" in shown
    assert [len(page) for page in pages] == [4, 4]
    assert totals == [n / 4 for n in range(2, 82, 10)]
    assert all(
        each["placed"]["$date"] >= "2026-01-20"
        for each in later.structured_content["documents"]
    )
    assert refused.meta["mcphub/error"]["kind"] == "bad_argument"


@pytest.mark.parametrize(
    "value",
    [
        *("$number", "$$ROOT", "$$CURRENT.total", "$where", "$address.city"),
        *('{"$gt": ""}', '{"$ne": null}', "Rome' || '1'=='1", "\u0000"),
    ],
)
async def test_a_hostile_value_is_a_value(mongodb_files: MakeHub, value: str) -> None:
    files = replace(mongodb_files(), live={"tools": [CITY]})
    async with hub_in_loop(files) as hub, hub.client() as client:
        await wait_until_checked(hub)
        hostile = await client.call_tool_mcp("city", {"city": value})
        fine = await client.call_tool("city", {"city": "Rome"})

    assert hostile.is_error or hostile.structured_content["documents"] == []
    assert "canary" not in str(hostile)
    assert len(fine.structured_content["documents"]) == 1


@pytest.mark.parametrize(
    ("bad", "reason", "named"), BAD, ids=[each[0]["name"] for each in BAD]
)
async def test_one_bad_tool_says_what_is_wrong_and_takes_no_other(
    mongodb_files: MakeHub, bad: dict[str, Any], reason: str, named: str
) -> None:
    files = replace(mongodb_files(), live={"tools": [CITY, bad]})
    async with hub_in_loop(files) as hub, hub.client() as client:
        states = await wait_until_checked(hub)
        names = {each.name for each in await client.list_tools()}

    found = states[bad["name"]]
    assert (found["state"], found["reason"]) == ("Invalid", reason)
    assert named in found["message"]
    assert states["city"]["state"] == "Ready"
    assert bad["name"] not in names
    assert "city" in names


async def test_a_collection_that_does_not_exist_is_named(
    mongodb_files: MakeHub,
) -> None:
    gone = tool("gone", collection="nothing")
    files = replace(mongodb_files(options={"collections": []}), live={"tools": [gone]})
    async with hub_in_loop(files) as hub:
        states = await wait_until_checked(hub)

    assert states["gone"]["reason"] == "DatabaseRefused"
    assert "no collection nothing" in states["gone"]["message"]


async def test_a_value_from_the_callers_token_is_no_argument(
    mongodb_files: MakeHub,
) -> None:
    files = replace(
        mongodb_files(),
        tokens={"Customer 4": TOKEN, "bob": "another-token-for-tests"},
        live={"tools": [MINE]},
    )
    async with hub_in_loop(files) as hub:
        await wait_until_checked(hub)
        async with hub.client() as client:
            (listed,) = [e for e in await client.list_tools() if e.name == "mine"]
            mine = await client.call_tool("mine", {})
            forged = await client.call_tool_mcp("mine", {"me": "Customer 5"})
        async with hub.client(token="another-token-for-tests") as client:
            other = await client.call_tool("mine", {})

    assert "me" not in listed.input_schema["properties"]
    assert [each["_id"] for each in mine.structured_content["documents"]] == [4]
    assert forged.meta["mcphub/error"]["kind"] == "bad_argument"
    assert other.structured_content["documents"] == []
