"""The MongoDB tools, by the real client over a socket, against FerretDB."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client

from tests.support.corpus import load_corpus
from tests.support.hub import hub_in_loop
from tests.support.mongodb.running import FIRST_ID, LARGE_INTEGER
from tests.support.ordinary import read_finds

from .conftest import MakeHub

pytestmark = pytest.mark.asyncio(loop_scope="module")

ONLY_GUARDS_SEE = {"mg-047", "mg-048", "mg-052", "mg-053", "mg-055"}
"""What reaches no guard over the wire: an empty list and JSON as text count as options
as clients fill them in, and no JSON reader takes 2,000 levels."""


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["http", "sse"])
async def client(
    request: pytest.FixtureRequest, mongodb_files: MakeHub
) -> AsyncIterator[Client[Any]]:
    async with hub_in_loop(mongodb_files()) as hub, hub.client(request.param) as made:
        yield made


async def call(client: Client[Any], tool: str, **arguments: Any) -> Any:
    return await client.call_tool_mcp(f"mongodb_{tool}", arguments)


async def ask(client: Client[Any], tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await call(client, tool, **arguments)
    assert not answer.is_error, answer.content[0].text
    content: dict[str, Any] = answer.structured_content
    return content


async def test_the_tools_are_listed_as_read_only(client: Client[Any]) -> None:
    tools = {tool.name: tool for tool in await client.list_tools()}

    verbs = ("find", "aggregate", "list_collections", "describe_collection")
    names = {f"mongodb_{verb}" for verb in verbs}
    assert names <= set(tools)
    assert all(tools[name].annotations.read_only_hint for name in names)


async def test_only_the_hubs_own_collections_are_listed(client: Client[Any]) -> None:
    answer = await ask(client, "list_collections")

    assert answer == {
        "collections": [
            {"name": "customers", "type": "collection"},
            {"name": "orders", "type": "collection"},
        ],
        "total": 2,
        "truncated": False,
    }


async def test_a_collection_is_described(client: Client[Any]) -> None:
    answer = await ask(client, "describe_collection", collection="orders")

    assert answer["estimated_count"] == 120
    assert answer["sampled"] == 100
    types = {field["path"]: field["types"] for field in answer["fields"]}
    assert types["_id"] == ["objectId"]
    assert types["number"] == ["long"]
    assert types["placed"] == ["date"]
    assert types["checksum"] == ["binData"]
    assert types["address.city"] == ["string"]
    assert {"name": "customer_1", "keys": {"customer": 1}, "unique": False} in answer[
        "indexes"
    ]
    assert "canary" not in str(answer)


async def test_a_collection_that_does_not_exist_is_told_with_those_that_do(
    mongodb_files: MakeHub,
) -> None:
    files = mongodb_files(options={"collections": []})
    async with hub_in_loop(files) as hub, hub.client() as client:
        answer = await call(client, "describe_collection", collection="order")

    assert answer.is_error
    assert "There are: customers, orders, secrets." in answer.content[0].text


async def test_values_are_exact(client: Client[Any]) -> None:
    answer = await ask(
        client, "find", collection="orders", filter={"_id": {"$oid": str(FIRST_ID)}}
    )

    assert answer["documents"] == [
        {
            "_id": {"$oid": str(FIRST_ID)},
            "number": LARGE_INTEGER + 1,
            "customer": 2,
            "total": 0.25,
            "placed": {"$date": "2026-01-02T12:00:00Z"},
            "tags": ["a", "b"],
            "address": {"city": "Rome", "zip": None},
            "checksum": {"$binary": {"base64": "AQD/", "subType": "00"}},
        }
    ]


async def test_what_an_answer_gave_a_filter_takes(client: Client[Any]) -> None:
    found = await ask(client, "find", collection="orders", limit=1)
    (document,) = found["documents"]

    for field in ("_id", "number", "placed", "checksum"):
        again = await ask(
            client, "find", collection="orders", filter={field: document[field]}
        )
        assert document in again["documents"], field


async def test_filter_projection_and_sort_are_mongodbs(client: Client[Any]) -> None:
    answer = await ask(
        client,
        "find",
        collection="orders",
        filter={"address.city": "Paris", "total": {"$gt": 20}},
        projection={"_id": 0, "total": 1},
        sort={"total": -1},
        limit=3,
    )

    assert [each["total"] for each in answer["documents"]] == [30.0, 29.25, 28.5]
    assert answer["truncated"]


async def test_pages_of_find_follow_each_other_without_gap(
    client: Client[Any],
) -> None:
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await ask(
            client,
            "find",
            collection="orders",
            sort={"_id": 1},
            limit=50,
            cursor=cursor,
        )
        seen += [each["_id"]["$oid"] for each in page["documents"]]
        cursor = page["next_cursor"]

    assert len(seen) == len(set(seen)) == 120


async def test_pages_of_aggregate_follow_each_other_without_gap(
    client: Client[Any],
) -> None:
    seen: list[int] = []
    cursor: str | None = ""
    pipeline = [
        {"$group": {"_id": "$customer", "n": {"$sum": 1}}},
        {"$sort": {"_id": 1}},
    ]
    while cursor is not None:
        page = await ask(
            client,
            "aggregate",
            collection="orders",
            pipeline=pipeline,
            limit=4,
            cursor=cursor,
        )
        seen += [each["_id"] for each in page["documents"]]
        cursor = page["next_cursor"]

    assert seen == list(range(1, 11))


async def test_a_cursor_belongs_to_its_statement(client: Client[Any]) -> None:
    page = await ask(client, "find", collection="orders", limit=5, sort={"_id": 1})

    other = await call(
        client,
        "find",
        collection="orders",
        limit=5,
        sort={"_id": -1},
        cursor=page["next_cursor"],
    )

    assert other.is_error
    assert "does not belong to this call" in other.content[0].text


async def test_an_answer_stays_within_its_bytes(mongodb_files: MakeHub) -> None:
    files = mongodb_files(limits={"maxResultBytes": 16_384})
    async with hub_in_loop(files) as hub, hub.client() as client:
        answer = await call(client, "find", collection="orders")

    body = answer.structured_content
    assert len(answer.content[0].text) <= 16_384
    assert 0 < body["row_count"] < 100
    assert body["next_cursor"]


async def test_a_server_without_a_stage_says_so_by_its_code(
    client: Client[Any],
) -> None:
    join = {"from": "customers", "localField": "customer", "foreignField": "_id"}
    answer = await call(
        client,
        "aggregate",
        collection="orders",
        pipeline=[{"$lookup": {**join, "as": "c"}}],
    )

    assert answer.meta["mcphub/error"]["kind"] == "query_failed"
    assert "(NotImplemented)" in answer.content[0].text


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(item, id=f"{item.id}: {item.why}")
        for item in load_corpus("mongodb")
        if item.expected == "reject" and item.id not in ONLY_GUARDS_SEE
    ],
)
async def test_the_corpus_is_refused_over_the_wire(
    client: Client[Any], item: Any
) -> None:
    arguments = {"collection": "orders", **(item.arguments or {})}
    tool = "aggregate" if "pipeline" in arguments else "find"

    answer = await call(client, tool, **arguments)

    assert answer.is_error
    assert "canary" not in answer.content[0].text


async def test_ordinary_inputs_run_or_are_what_the_double_lacks(
    client: Client[Any],
) -> None:
    ran = 0
    allowed = [
        {"collection": "orders", **(item.arguments or {})}
        for item in load_corpus("mongodb")
        if item.expected == "allow"
    ]
    for arguments in [*allowed, *read_finds()]:
        tool = "aggregate" if "pipeline" in arguments else "find"
        answer = await call(client, tool, **arguments)
        ran += not answer.is_error
        if answer.is_error and "numberDecimal" not in str(arguments):
            kind = answer.meta["mcphub/error"]["kind"]
            assert kind == "query_failed", (arguments, answer.content[0].text)

    assert ran >= 50
