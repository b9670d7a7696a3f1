"""Each reason why a Neo4j cannot be used, provoked on a real one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcphub_server.backends import orphans
from mcphub_server.backends.base import BackendState
from mcphub_server.backends.neo4j import backend as backend_module
from mcphub_server.backends.neo4j.backend import Neo4jBackend, Read
from tests.support.hub import TOKEN, HubFiles, LoopHub, hub_in_loop
from tests.support.hub_states import find_state, wait_for_state
from tests.support.neo4j.running import running_neo4j
from tests.support.neo4j.server import Neo4jServer
from tests.support.proxies import running_proxy
from tests.support.waiting import wait_until
from tools.cluster.pki import Authority, Subject
from tools.ports import reserve_port

from .conftest import MakeHub

ENDLESS = "UNWIND range(1, 100000000000) AS n RETURN max(n) AS endless"
BOLT_THREADS = 4

PATIENT_SECONDS = 100.0
"""For a question to a server that a busy machine makes slow."""


async def query(
    hub: LoopHub, cypher: str = "RETURN 1 AS one", transport: str = "http"
) -> Any:
    async with hub.client(transport) as client:
        return await client.call_tool_mcp("neo4j_query", {"cypher": cypher})


def count_endless(server: Neo4jServer) -> int:
    found = server.run(
        "SHOW TRANSACTIONS YIELD currentQuery "
        "WHERE currentQuery STARTS WITH 'UNWIND range(1, 100000000000)' RETURN 1"
    )
    return len(found)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        pytest.param({"password": "wrong"}, "BadCredentials", id="wrong password"),
        pytest.param({"database": "none"}, "UnknownDatabase", id="no such database"),
        pytest.param(
            {"uri": "bolt://127.0.0.1:{free}"}, "ConnectionRefused", id="wrong port"
        ),
        pytest.param(
            {"uri": "neo4j://127.0.0.1:{free}"},
            "ConnectionRefused",
            id="wrong port, with routing",
        ),
        pytest.param(
            {"uri": "neo4j://graph.invalid:7687"},
            "DNSFailure",
            id="a name that does not resolve",
        ),
        pytest.param(
            {"uri": "bolt+s://127.0.0.1:{port}"},
            "TLSFailure",
            id="a server without TLS",
        ),
        pytest.param(
            {"uri": "neo4j+s://127.0.0.1:{port}"},
            "TLSFailure",
            id="a server without TLS, with routing",
        ),
    ],
)
async def test_a_database_that_cannot_be_used_says_why(
    films: Neo4jServer, graph_files: MakeHub, options: dict[str, str], reason: str
) -> None:
    if "uri" in options:
        uri = options["uri"].format(free=reserve_port(), port=films.port)
        options = {**options, "uri": uri}

    async with hub_in_loop(graph_files(**options)) as hub:
        shown = await wait_for_state(hub, "neo4j", "Unreachable", reason)
        answer = await query(hub)

    assert shown["reason"] == reason
    assert shown["message"].startswith("neo4j is unavailable: ")
    assert answer.is_error
    assert answer.meta["mcphub/error"]["kind"] == "backend_unavailable"


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
async def test_a_proxy_that_hangs_is_told_and_left_behind(
    films: Neo4jServer, graph_files: MakeHub, scheme: str
) -> None:
    async with running_proxy(films.port) as proxy:
        files = graph_files(
            uri=f"{scheme}://127.0.0.1:{proxy.port}",
            limits={"statementTimeoutSeconds": 1},
        )
        proxy.hang()
        async with hub_in_loop(files) as hub:
            shown = await wait_for_state(hub, "neo4j", "Unreachable", "Timeout")
            proxy.resume()
            await wait_for_state(hub, "neo4j", "Connected")
            answer = await query(hub)

    assert shown["reason"] == "Timeout"
    assert not answer.is_error


async def test_a_call_through_a_proxy_that_begins_to_hang_ends_in_time(
    films: Neo4jServer, graph_files: MakeHub
) -> None:
    async with running_proxy(films.port) as proxy:
        files = graph_files(
            uri=f"bolt://127.0.0.1:{proxy.port}", limits={"statementTimeoutSeconds": 1}
        )
        async with hub_in_loop(files) as hub:
            await wait_for_state(hub, "neo4j", "Connected")
            proxy.hang()
            answer = await query(hub)

    assert answer.is_error
    assert answer.meta["mcphub/error"]["kind"] == "backend_unavailable"


async def test_a_statement_past_its_time_is_stopped_on_the_server(
    films: Neo4jServer, graph_files: MakeHub
) -> None:
    files = graph_files(limits={"statementTimeoutSeconds": 1})

    async with hub_in_loop(files) as hub:
        answer = await query(hub, ENDLESS)
        shown = await find_state(hub, "neo4j")

    assert answer.meta["mcphub/error"]["kind"] == "query_timeout"
    assert shown["state"] == "Connected"
    await wait_until(lambda: not count_endless(films))


async def test_a_statement_that_an_administrator_terminates_is_no_timeout(
    films: Neo4jServer, graph_files: MakeHub
) -> None:
    async with hub_in_loop(graph_files()) as hub:
        call = asyncio.create_task(query(hub, ENDLESS))
        await wait_until(lambda: count_endless(films) > 0)
        for record in films.run(
            "SHOW TRANSACTIONS YIELD transactionId, currentQuery WHERE currentQuery "
            "STARTS WITH 'UNWIND range(1, 100000000000)' RETURN transactionId"
        ):
            films.run(f"TERMINATE TRANSACTION '{record['transactionId']}'")
        answer = await call

    assert answer.meta["mcphub/error"]["kind"] == "query_failed"
    assert "administrator" in answer.content[0].text


async def test_a_client_that_cancels_ends_its_statement_on_the_server(
    films: Neo4jServer, graph_files: MakeHub
) -> None:
    async with hub_in_loop(graph_files()) as hub:
        call = asyncio.create_task(query(hub, ENDLESS, "sse"))
        await wait_until(lambda: count_endless(films) == 1)

        call.cancel()

        await wait_until(lambda: count_endless(films) == 0)
        answer = await query(hub)

    assert not answer.is_error


async def test_a_cancelled_read_ends_its_statement_on_the_server(
    films: Neo4jServer, backend: Neo4jBackend
) -> None:
    read = asyncio.create_task(backend.read(Read(ENDLESS, {}, 0, 1, 30, 1 << 22)))
    await wait_until(lambda: count_endless(films) == 1)

    read.cancel()

    await wait_until(lambda: count_endless(films) == 0)
    assert (await backend.probe()).state is BackendState.CONNECTED


UNSTOPPABLE = "RETURN reduce(sum = 0, n IN range(1, 100000000000) | sum + n) AS never"
COUNT_UNSTOPPABLE = (
    "SHOW TRANSACTIONS YIELD currentQuery "
    "WHERE currentQuery STARTS WITH 'RETURN reduce(' RETURN 1"
)


async def test_statements_that_nothing_stops_keep_their_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "ASK_TIMEOUT_SECONDS", PATIENT_SECONDS)
    monkeypatch.setattr(backend_module, "POOL_SIZE", 3)
    with running_neo4j() as server:
        files = HubFiles(
            tmp_path,
            {
                "backends": [{"name": "neo4j", "neo4j": {"uri": server.uri}}],
                "limits": {"statementTimeoutSeconds": 3},
            },
            {"neo4j": {"username": server.username, "password": server.password}},
            {"alice": TOKEN, "bob": "secret-of-bob-22"},
        )
        async with hub_in_loop(files) as hub:
            await wait_for_state(hub, "neo4j", "Connected")
            first = await query(hub, UNSTOPPABLE)
            while not server.run(COUNT_UNSTOPPABLE):  # its time went into its plan
                first = await query(hub, UNSTOPPABLE)
            second = asyncio.create_task(query(hub, UNSTOPPABLE, "sse"))
            await wait_until(lambda: len(server.run(COUNT_UNSTOPPABLE)) == 2)
            second.cancel()
            await asyncio.gather(second, return_exceptions=True)
            third = await query(hub)
            async with hub.client(token="secret-of-bob-22") as bob:
                others = await bob.call_tool_mcp("neo4j_query", {"cypher": "RETURN 1"})
            shown = await find_state(hub, "neo4j")
            running = len(server.run(COUNT_UNSTOPPABLE))

    assert first.meta["mcphub/error"]["kind"] == "query_timeout"
    assert "cannot stop it" in first.content[0].text
    assert third.meta["mcphub/error"]["kind"] == "limit_exceeded"
    assert "2 of the 3 connections" in third.content[0].text
    assert not others.is_error
    assert shown["state"] == "Connected"
    assert running == 2


async def test_a_statement_that_ends_after_its_call_gives_its_place_back(
    graph_files: MakeHub, films: Neo4jServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "ASK_TIMEOUT_SECONDS", PATIENT_SECONDS)
    monkeypatch.setattr(backend_module, "POOL_SIZE", 2)
    async with hub_in_loop(graph_files()) as hub:
        for _ in range(3):
            call = asyncio.create_task(query(hub, ENDLESS, "sse"))
            await wait_until(lambda: count_endless(films) == 1)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            await wait_until(lambda: count_endless(films) == 0)
        answer = await query(hub)

    assert not answer.is_error


async def test_rotated_credentials_are_used_without_a_restart(
    films: Neo4jServer, graph_files: MakeHub
) -> None:
    files = graph_files(password="wrong")

    async with hub_in_loop(files) as hub:
        await wait_for_state(hub, "neo4j", "Unreachable")
        (files.folder / "secrets" / "neo4j" / "password").write_text(films.password)
        await wait_for_state(hub, "neo4j", "Connected")
        answer = await query(hub)

    assert not answer.is_error


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("pki")
    Authority(folder).issue(Subject("public", "neo4j", (), ("127.0.0.1",)))
    (folder / "public.key").rename(folder / "private.key")
    return folder


@pytest.fixture(scope="module")
def strict(pki: Path) -> Iterator[Neo4jServer]:
    """A Neo4j that demands TLS, locks accounts and has few threads."""
    settings = {
        "server.bolt.tls_level": "REQUIRED",
        "dbms.ssl.policy.bolt.enabled": "true",
        "dbms.ssl.policy.bolt.base_directory": str(pki),
        "dbms.ssl.policy.bolt.private_key": "private.key",
        "dbms.ssl.policy.bolt.public_certificate": "public.crt",
        "dbms.ssl.policy.bolt.client_auth": "NONE",
        "server.bolt.thread_pool_min_size": "1",
        "server.bolt.thread_pool_max_size": str(BOLT_THREADS),
    }
    with running_neo4j(settings, trusted=pki / "ca.crt") as server:
        yield server


def strict_files(
    server: Neo4jServer, pki: Path, folder: Path, *, password: str = "", **config: Any
) -> HubFiles:
    """A hub that trusts the server's authority."""
    backend = {"uri": f"neo4j+s://127.0.0.1:{server.port}"}
    secrets = {
        "username": server.username,
        "password": password or server.password,
        "ca.crt": (pki / "ca.crt").read_text(),
    }
    return HubFiles(
        folder,
        {"backends": [{"name": "neo4j", "neo4j": backend}], **config},
        {"neo4j": secrets},
    )


async def test_a_server_that_demands_tls_is_told_to_a_hub_without(
    strict: Neo4jServer, graph_files: MakeHub
) -> None:
    files = graph_files(uri=f"neo4j://127.0.0.1:{strict.port}")

    async with hub_in_loop(files) as hub:
        shown = await wait_for_state(hub, "neo4j", "Unreachable", "TLSFailure")

    assert shown["reason"] == "TLSFailure"


async def test_a_certificate_of_an_unknown_authority_is_not_trusted(
    strict: Neo4jServer, graph_files: MakeHub
) -> None:
    files = graph_files(uri=f"neo4j+s://127.0.0.1:{strict.port}")

    async with hub_in_loop(files) as hub:
        shown = await wait_for_state(hub, "neo4j", "Unreachable", "TLSFailure")

    assert shown["reason"] == "TLSFailure"


async def test_a_wrong_password_does_not_lock_the_user_out(
    strict: Neo4jServer, pki: Path, tmp_path: Path
) -> None:
    files = strict_files(strict, pki, tmp_path, password="wrong")

    async with hub_in_loop(files) as hub:
        await wait_for_state(hub, "neo4j", "Unreachable")
        (monitor,) = hub.hub.monitors
        for _ in range(5):
            await monitor.check()

    with strict.connect() as driver:
        driver.verify_connectivity()


async def test_too_many_connections(
    strict: Neo4jServer, pki: Path, tmp_path: Path
) -> None:
    files = strict_files(strict, pki, tmp_path, limits={"statementTimeoutSeconds": 3})

    async with hub_in_loop(files) as hub:
        await wait_for_state(hub, "neo4j", "Connected")
        calls = [query(hub, ENDLESS) for _ in range(BOLT_THREADS * 2)]
        answers = await asyncio.gather(*calls)

    told = {answer.content[0].text for answer in answers}
    assert any("all of its connections are in use" in text for text in told)


# the driver drops the sockets of a server that was killed without closing them
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_server_killed_in_mid_query_and_back_again(
    strict: Neo4jServer, pki: Path, tmp_path: Path
) -> None:
    files = strict_files(strict, pki, tmp_path)

    async with hub_in_loop(files) as hub:
        await wait_for_state(hub, "neo4j", "Connected")
        call = asyncio.create_task(query(hub, ENDLESS))
        await wait_until(lambda: count_endless(strict) == 1)
        await asyncio.to_thread(strict.kill)
        answer = await call
        # At first it may be a handshake that broke off, which says nothing of TLS.
        await wait_for_state(hub, "neo4j", "Unreachable", "ConnectionRefused")
        await asyncio.to_thread(strict.start)
        await wait_for_state(hub, "neo4j", "Connected")
        afterwards = [await query(hub) for _ in range(5)]

    assert answer.meta["mcphub/error"]["kind"] == "backend_unavailable"
    assert not any(each.is_error for each in afterwards)
