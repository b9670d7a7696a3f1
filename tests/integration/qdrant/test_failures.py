"""Each reason why a Qdrant cannot be used, provoked for real."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub import HubFiles, LoopHub, hub_in_loop
from tests.support.hub_states import find_state, wait_for_state
from tests.support.proxies import running_proxy
from tests.support.qdrant.running import fill, running_qdrant
from tests.support.qdrant.server import QdrantServer
from tools.cluster.pki import Authority, Subject
from tools.ports import reserve_port

from .conftest import MakeHub

SEARCH = {"collection": "docs", "point_id": 1, "limit": 1}


async def search(hub: LoopHub, **arguments: Any) -> Any:
    async with hub.client() as client:
        return await client.call_tool_mcp("qdrant_search", {**SEARCH, **arguments})


@pytest.mark.parametrize(
    ("options", "key", "reason"),
    [
        pytest.param({}, "wrong", "BadCredentials", id="wrong key"),
        pytest.param(
            {"url": "http://127.0.0.1:{free}"},
            None,
            "ConnectionRefused",
            id="wrong port",
        ),
        pytest.param(
            {"url": "http://vectors.invalid:6333"},
            None,
            "DNSFailure",
            id="a name that does not resolve",
        ),
        pytest.param(
            {"url": "https://127.0.0.1:{port}"},
            None,
            "TLSFailure",
            id="a server without TLS",
        ),
    ],
)
async def test_a_server_that_cannot_be_used_says_why(
    vectors: QdrantServer,
    vector_files: MakeHub,
    options: dict[str, str],
    key: str | None,
    reason: str,
) -> None:
    given: dict[str, Any] = {"options": {}} | ({"api_key": key} if key else {})
    if "url" in options:
        url = options["url"].format(free=reserve_port(), port=vectors.port)
        given["options"] = {"url": url}

    async with hub_in_loop(vector_files(**given)) as hub:
        shown = await wait_for_state(hub, "qdrant", "Unreachable", reason)
        answer = await search(hub)

    assert shown["reason"] == reason
    assert shown["message"].startswith("qdrant is unavailable: ")
    assert answer.is_error
    assert answer.meta["mcphub/error"]["kind"] == "backend_unavailable"


async def test_a_proxy_that_hangs_is_told_and_left_behind(
    vectors: QdrantServer, vector_files: MakeHub
) -> None:
    async with running_proxy(vectors.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        files = vector_files(
            options={"url": url}, limits={"statementTimeoutSeconds": 1}
        )
        async with hub_in_loop(files) as hub:
            await wait_for_state(hub, "qdrant", "Connected")
            proxy.hang()
            answer = await search(hub)
            shown = await wait_for_state(hub, "qdrant", "Unreachable", "Timeout")
            proxy.resume()
            await wait_for_state(hub, "qdrant", "Connected")
            afterwards = await search(hub)

    assert answer.meta["mcphub/error"]["kind"] == "backend_unavailable"
    assert shown["reason"] == "Timeout"
    assert not afterwards.is_error


async def test_a_frozen_server_is_left_in_time_and_found_again(tmp_path: Path) -> None:
    with running_qdrant() as server:
        fill(server)
        async with hub_in_loop(own_files(server, tmp_path)) as hub:
            await wait_for_state(hub, "qdrant", "Connected")
            server.freeze()
            shown = await wait_for_state(hub, "qdrant", "Unreachable", "Timeout")
            server.thaw()
            await wait_for_state(hub, "qdrant", "Connected")
            answer = await search(hub)

    assert shown["reason"] == "Timeout"
    assert not answer.is_error


async def test_a_server_killed_and_back_again(tmp_path: Path) -> None:
    with running_qdrant() as server:
        fill(server)
        async with hub_in_loop(own_files(server, tmp_path)) as hub:
            await wait_for_state(hub, "qdrant", "Connected")
            server.freeze()
            call = asyncio.create_task(search(hub))
            await asyncio.to_thread(server.kill)
            answer = await call
            down = await wait_for_state(hub, "qdrant", "Unreachable")
            await asyncio.to_thread(server.start)
            await wait_for_state(hub, "qdrant", "Connected")
            afterwards = [await search(hub) for _ in range(5)]

    assert answer.meta["mcphub/error"]["kind"] == "backend_unavailable"
    assert down["reason"] in {"ConnectionRefused", "Error"}
    assert not any(each.is_error for each in afterwards)


async def test_a_rotated_key_is_used_without_a_restart(
    vectors: QdrantServer, vector_files: MakeHub
) -> None:
    files = vector_files(api_key="wrong")

    async with hub_in_loop(files) as hub:
        await wait_for_state(hub, "qdrant", "Unreachable")
        (files.folder / "secrets" / "qdrant" / "apiKey").write_text(vectors.api_key)
        await wait_for_state(hub, "qdrant", "Connected")
        answer = await search(hub)

    assert not answer.is_error


async def test_tls_with_an_own_authority_and_without(tmp_path: Path) -> None:
    Authority(tmp_path).issue(Subject("public", "qdrant", (), ("127.0.0.1",)))
    pair = (tmp_path / "public.crt", tmp_path / "public.key")

    with running_qdrant(pair) as server:
        trusting = own_files(server, tmp_path / "trusting", tmp_path / "ca.crt")
        async with hub_in_loop(trusting) as hub:
            trusted = await wait_for_state(hub, "qdrant", "Connected")
        async with hub_in_loop(own_files(server, tmp_path / "doubting")) as hub:
            doubted = await wait_for_state(hub, "qdrant", "Unreachable", "TLSFailure")
        plain = own_files(server, tmp_path / "plain", scheme="http")
        async with hub_in_loop(plain) as hub:
            demanded = await wait_for_state(hub, "qdrant", "Unreachable", "TLSFailure")

    assert trusted["reason"] in {None, ""}
    assert doubted["reason"] == "TLSFailure"
    assert demanded["reason"] == "TLSFailure"


async def test_answers_larger_than_the_bound_do_not_fill_the_memory(
    tmp_path: Path,
) -> None:
    with running_qdrant() as server:
        fill(server)
        client = server.connect()
        payload = {"text": "x" * 1_000_000}
        for n in range(100, 105):
            client.upsert(
                "docs", [{"id": n, "vector": [0, 0, 1, 0], "payload": payload}]
            )
        client.close()
        async with hub_in_loop(own_files(server, tmp_path)) as hub:
            query = {"point_id": None, "query_vector": [0, 0, 1, 0]}
            refused = await search(hub, **query, limit=5)
            cut = await search(hub, **query, limit=2)
            state = await find_state(hub, "qdrant")

    assert "Lower limit" in refused.content[0].text
    assert cut.structured_content["truncated"] is True
    assert cut.structured_content["hits"][0]["payload"].endswith("[cut]")
    assert state["state"] == "Connected"


def own_files(
    server: QdrantServer,
    folder: Path,
    authority: Path | None = None,
    scheme: str = "",
) -> HubFiles:
    """A hub in front of a server of this test's own."""
    url = server.url if not scheme else f"{scheme}://127.0.0.1:{server.port}"
    secrets = {"apiKey": server.api_key}
    if authority is not None:
        secrets["ca.crt"] = authority.read_text()
    return HubFiles(
        folder,
        {"backends": [{"name": "qdrant", "qdrant": {"url": url}}]},
        {"qdrant": secrets},
    )
