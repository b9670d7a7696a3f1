"""Each reason why a MongoDB cannot be used, provoked for real."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.hub import HubFiles, LoopHub, hub_in_loop
from tests.support.hub_states import wait_for_state
from tests.support.mongodb.running import (
    DATABASE,
    READER,
    READER_PASSWORD,
    MongodbServer,
    running_mongodb,
)
from tools.cluster.pki import Authority, Subject
from tools.ports import reserve_port

from .conftest import MakeHub


async def find(hub: LoopHub) -> Any:
    async with hub.client() as client:
        arguments = {"collection": "orders", "limit": 1}
        return await client.call_tool_mcp("mongodb_find", arguments)


@pytest.mark.parametrize(
    ("options", "password", "reason"),
    [
        pytest.param({}, "wrong", "BadCredentials", id="wrong password"),
        pytest.param(
            {"authSource": "elsewhere"}, None, "BadCredentials", id="another database"
        ),
        pytest.param(
            {"uri": "mongodb://127.0.0.1:{free}"},
            None,
            "ConnectionRefused",
            id="wrong port",
        ),
        pytest.param(
            {"uri": "mongodb://mongo.invalid:27017"},
            None,
            "DNSFailure",
            id="a name that does not resolve",
        ),
        pytest.param(
            # MongoDB hangs up, which is TLSFailure; the double waits for more
            {"tls": {"enabled": True}},
            None,
            "Timeout",
            id="a server without TLS that is silent",
        ),
    ],
)
async def test_a_server_that_cannot_be_used_says_why(
    mongodb_files: MakeHub, options: dict[str, Any], password: str | None, reason: str
) -> None:
    if "uri" in options:
        options = {"uri": options["uri"].format(free=reserve_port())}
    given = {"password": password} if password else {}

    async with hub_in_loop(mongodb_files(options=options, **given)) as hub:
        shown = await wait_for_state(hub, "mongodb", "Unreachable", reason)
        answer = await find(hub)

    assert shown["message"].startswith("mongodb is unavailable: ")
    assert answer.is_error
    assert answer.meta["mcphub/error"]["kind"] == "backend_unavailable"
    assert READER_PASSWORD not in answer.content[0].text


async def test_a_frozen_server_is_left_in_time_and_found_again(tmp_path: Path) -> None:
    with running_mongodb() as server:
        async with hub_in_loop(own_files(server, tmp_path)) as hub:
            await wait_for_state(hub, "mongodb", "Connected")
            server.freeze()
            shown = await wait_for_state(hub, "mongodb", "Unreachable", "Timeout")
            server.thaw()
            await wait_for_state(hub, "mongodb", "Connected")
            answer = await find(hub)

    assert shown["reason"] == "Timeout"
    assert not answer.is_error


async def test_a_server_killed_and_back_again(tmp_path: Path) -> None:
    with running_mongodb() as server:
        async with hub_in_loop(own_files(server, tmp_path)) as hub:
            await wait_for_state(hub, "mongodb", "Connected")
            server.freeze()
            call = asyncio.create_task(find(hub))
            await asyncio.to_thread(server.kill)
            answer = await call
            down = await wait_for_state(hub, "mongodb", "Unreachable")
            await asyncio.to_thread(server.start)
            await wait_for_state(hub, "mongodb", "Connected")
            afterwards = [await find(hub) for _ in range(5)]

    assert answer.meta["mcphub/error"]["kind"] == "backend_unavailable"
    assert down["reason"] in {"ConnectionRefused", "Error", "Timeout"}
    assert not any(each.is_error for each in afterwards)


async def test_a_rotated_password_is_used_without_a_restart(
    mongodb_files: MakeHub,
) -> None:
    files = mongodb_files(password="wrong")

    async with hub_in_loop(files) as hub:
        await wait_for_state(hub, "mongodb", "Unreachable")
        (files.folder / "secrets" / "mongodb" / "password").write_text(READER_PASSWORD)
        await wait_for_state(hub, "mongodb", "Connected")
        answer = await find(hub)

    assert not answer.is_error


async def test_tls_with_an_own_authority_and_without(tmp_path: Path) -> None:
    Authority(tmp_path).issue(Subject("public", "mongodb", (), ("127.0.0.1",)))
    pair = (tmp_path / "public.crt", tmp_path / "public.key")

    with running_mongodb(pair) as server:
        authority = (tmp_path / "ca.crt").read_text()
        trusting = tls_files(server, tmp_path / "trusting", authority)
        async with hub_in_loop(trusting) as hub:
            await wait_for_state(hub, "mongodb", "Connected")
            answer = await find(hub)
        async with hub_in_loop(tls_files(server, tmp_path / "doubting")) as hub:
            await wait_for_state(hub, "mongodb", "Unreachable", "TLSFailure")
        plain = tls_files(server, tmp_path / "plain", tls=False)
        async with hub_in_loop(plain) as hub:
            await wait_for_state(hub, "mongodb", "Unreachable", "TLSFailure")

    assert not answer.is_error


def own_files(server: MongodbServer, folder: Path, **options: Any) -> HubFiles:
    """A hub in front of a server of this test's own."""
    backend = {"database": DATABASE, "authSource": DATABASE, "uri": server.uri}
    return HubFiles(
        folder,
        {"backends": [{"name": "mongodb", "mongodb": backend | options}]},
        {"mongodb": {"username": READER, "password": READER_PASSWORD}},
    )


def tls_files(
    server: MongodbServer, folder: Path, authority: str = "", *, tls: bool = True
) -> HubFiles:
    """A hub in front of the server's TLS port."""
    uri = f"mongodb://127.0.0.1:{server.tls_port}"
    files = own_files(server, folder, uri=uri, tls={"enabled": tls})
    if not authority:
        return files
    secrets = {"mongodb": {**files.secrets["mongodb"], "ca.crt": authority}}
    return HubFiles(folder, files.config, secrets)
