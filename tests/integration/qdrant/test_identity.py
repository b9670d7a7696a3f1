"""Each caller finds their own points and no others, whatever they send."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import models

from tests.support.hub import HubFiles, LoopHub, hub_in_loop
from tests.support.qdrant.running import build_vector
from tests.support.qdrant.server import QdrantServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

TENANTS = ("acme", "globex")
TOKENS = {tenant: f"the-token-of-{tenant}-for-tests" for tenant in (*TENANTS, "eve")}
QUERY = [1.0, 0.0, 0.0, 0.0]
OWN_IDS = {"acme": {2, 4, 6, 8, 10}, "globex": {1, 3, 5, 7, 9}}
SHARED, LOST = 11, 12


@pytest.fixture(scope="module", autouse=True)
def _tickets(vectors: QdrantServer) -> Iterator[None]:
    """Points of two tenants in turn, one of both, one without a tenant."""
    client = vectors.connect()
    client.create_collection("tickets", vectors_config=build_vector(4))
    payloads: dict[int, dict[str, Any]] = {
        n: {"owner": {"tenant": TENANTS[n % 2]}, "note": f"canary-of-{TENANTS[n % 2]}"}
        for n in range(1, 11)
    }
    payloads[SHARED] = {"owner": {"tenant": list(TENANTS)}, "note": "of both"}
    payloads[LOST] = {"note": "canary-of-none"}
    points = [
        models.PointStruct(id=n, vector=[1.0, n / 10, 0.0, 0.0], payload=payload)
        for n, payload in payloads.items()
    ]
    client.upsert("tickets", points)
    yield
    client.delete_collection("tickets")
    client.close()


# `globex` is TENANTS[1], so odd ids are its own
def identity(claim: str = "sub") -> dict[str, Any]:
    return {"filter": [{"key": "owner.tenant", "fromClaim": claim}]}


def build_files(
    vectors: QdrantServer, folder: Any, claim: str = "sub", **config: Any
) -> HubFiles:
    options = {"url": vectors.url, "identity": identity(claim)}
    return HubFiles(
        folder,
        {"backends": [{"name": "qdrant", "qdrant": options}], **config},
        {"qdrant": {"apiKey": vectors.api_key}},
        TOKENS,
    )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hub(
    vectors: QdrantServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LoopHub]:
    async with hub_in_loop(build_files(vectors, tmp_path_factory.mktemp("h"))) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def acme(hub: LoopHub) -> AsyncIterator[Client[Any]]:
    async with hub.client(token=TOKENS["acme"]) as client:
        yield client


async def ask(client: Client[Any], tool: str, **arguments: Any) -> Any:
    return await client.call_tool_mcp(f"qdrant_{tool}", arguments)


async def search(client: Client[Any], **arguments: Any) -> Any:
    given_ = {"query_vector": QUERY} if "point_id" not in arguments else {}
    return await ask(
        client, "search", collection="tickets", limit=50, **given_, **arguments
    )


def find_ids(answer: Any) -> set[int]:
    return {hit["id"] for hit in answer.structured_content["hits"]}


@pytest.mark.parametrize("tenant", TENANTS)
async def test_a_search_finds_the_callers_points(hub: LoopHub, tenant: str) -> None:
    async with hub.client(token=TOKENS[tenant]) as client:
        answer = await search(client)

    assert find_ids(answer) == OWN_IDS[tenant] | {SHARED}


async def test_a_caller_of_no_tenant_finds_nothing(hub: LoopHub) -> None:
    async with hub.client(token=TOKENS["eve"]) as client:
        answer = await search(client)

    assert not answer.is_error
    assert find_ids(answer) == set()


FOREIGN = {"key": "owner.tenant", "match": {"value": "globex"}}
OWN = {"key": "owner.tenant", "match": {"value": "acme"}}
CONDITIONS: list[dict[str, Any]] = [
    FOREIGN,
    OWN,
    {"key": "owner.tenant", "match": {"except": ["acme"]}},
    {"key": "owner.tenant", "match": {"any": ["globex", "acme"]}},
    {"is_empty": {"key": "owner.tenant"}},
    {"is_null": {"key": "owner"}},
    {"has_id": [1, 3, LOST]},
    {"nested": {"key": "owner", "filter": {"must": [FOREIGN]}}},
    {"key": "owner.tenant", "values_count": {"gte": 0}},
]


def combine(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    conditions = st.lists(inner, min_size=1, max_size=3)
    least = st.fixed_dictionaries(
        {"conditions": conditions, "min_count": st.integers(0, 2)}
    )
    return st.dictionaries(
        st.sampled_from(["must", "should", "must_not"]), conditions, min_size=1
    ) | least.map(lambda each: {"min_should": each})


FILTERS = combine(st.recursive(st.sampled_from(CONDITIONS), combine, max_leaves=6))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chosen=FILTERS)
async def test_no_filter_widens_what_a_caller_finds(
    acme: Client[Any], chosen: dict[str, Any]
) -> None:
    answer = await search(acme, filter=chosen)

    assert not answer.is_error, answer.content[0].text
    assert find_ids(answer) <= OWN_IDS["acme"] | {SHARED}
    assert "canary-of-globex" not in str(answer)


async def test_a_callers_filter_narrows(acme: Client[Any]) -> None:
    answer = await search(acme, filter={"must": [{"has_id": [1, 2, 3, 4]}]})

    assert find_ids(answer) == {2, 4}


async def test_points_like_an_own_point_are_own(acme: Client[Any]) -> None:
    answer = await search(acme, point_id="4")

    assert find_ids(answer) == (OWN_IDS["acme"] | {SHARED}) - {4}


@pytest.mark.parametrize("point_id", [1, "3", LOST])
async def test_anothers_point_is_answered_as_one_that_does_not_exist(
    acme: Client[Any], point_id: object
) -> None:
    foreign = await search(acme, point_id=point_id)
    missing = await search(acme, point_id=999_999)

    assert foreign.is_error
    assert foreign.content == missing.content
    assert foreign.meta["mcphub/error"] == missing.meta["mcphub/error"]


async def test_a_description_has_no_count(acme: Client[Any]) -> None:
    answer = await ask(acme, "collection_info", collection="tickets")

    assert answer.structured_content["points_count"] is None


async def test_a_caller_without_the_claim_is_refused_by_every_tool(
    vectors: QdrantServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = build_files(vectors, tmp_path_factory.mktemp("h"), claim="tenant_id")
    async with (
        hub_in_loop(files) as hub,
        hub.client(token=TOKENS["acme"]) as client,
    ):
        answers = [
            await search(client),
            await search(client, point_id=2),
            await ask(client, "list_collections"),
            await ask(client, "collection_info", collection="tickets"),
        ]

    kinds = [each.meta["mcphub/error"]["kind"] for each in answers]
    assert kinds == ["forbidden"] * len(answers)
    assert "tenant_id" not in answers[0].content[0].text
