"""The process as a whole: how it starts, refuses to, and ends."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.gate import WAIT, opened
from tests.support.hub import HubProcess, hub_process
from tests.support.postgres import PostgresServer
from tests.support.waiting import wait_until

from .conftest import MakeHub


@pytest.fixture
def process(hub_files: MakeHub) -> Iterator[HubProcess]:
    with hub_process(hub_files()) as server:
        yield server


async def status(server: HubProcess) -> dict[str, object]:
    async with httpx.AsyncClient(timeout=100) as client:
        body: dict[str, object] = (
            await client.get(f"{server.management}/status")
        ).json()
        return body


async def in_flight(server: HubProcess) -> bool:
    return (await status(server))["inFlight"] == 1


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_a_call_in_flight_is_answered_after_sigterm(
    process: HubProcess, gated: PostgresServer, transport: str
) -> None:
    async with process.client(transport) as client:
        await client.list_tools()  # else the client asks for them after the call
        call = asyncio.create_task(client.call_tool("postgres_query", {"sql": WAIT}))
        await wait_until(lambda: in_flight(process))

        process.process.send_signal(signal.SIGTERM)
        await wait_until(lambda: is_draining(process))
        async with opened(gated):
            answer = await call

    assert answer.structured_content["rows"] == [["passed"]]
    assert await asyncio.to_thread(process.process.wait) == 0


async def test_while_draining_it_is_not_ready_but_answers(
    process: HubProcess, gated: PostgresServer
) -> None:
    async with process.client() as client, httpx.AsyncClient(timeout=100) as http:
        call = asyncio.create_task(client.call_tool("postgres_query", {"sql": WAIT}))
        await wait_until(lambda: in_flight(process))

        process.process.send_signal(signal.SIGTERM)

        await wait_until(lambda: is_draining(process))
        ready = await http.get(f"{process.management}/health/ready")
        health = await http.get(f"{process.url}/health")
        other = await http.get(f"{process.url}/mcp")
        async with opened(gated):
            await call
    assert (ready.status_code, health.status_code) == (503, 503)
    assert other.status_code == 401
    assert other.headers["connection"] == "close"


async def is_draining(server: HubProcess) -> bool:
    return (await status(server))["draining"] is True


@pytest.mark.usefixtures("gated")
async def test_a_second_signal_ends_at_once(process: HubProcess) -> None:
    async with process.client() as client:
        call = asyncio.create_task(
            client.call_tool_mcp(
                "postgres_query",
                {"sql": WAIT},
            )
        )
        await wait_until(lambda: in_flight(process))
        process.process.send_signal(signal.SIGTERM)
        await wait_until(lambda: is_draining(process))

        process.process.send_signal(signal.SIGTERM)

        await asyncio.to_thread(process.process.wait)
        call.cancel()


def test_a_bad_setting_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text("limits: {maxRow: 5}")

    done = run_server("--config", str(tmp_path / "hub.yaml"))

    assert done.returncode == 2
    assert done.stderr == (
        "mcphub-server: hub.yaml: limits.maxRow is not a field that this server "
        "knows.\n"
    )


def test_a_missing_file_is_told() -> None:
    done = run_server("--config", "/nowhere/hub.yaml")

    assert done.returncode == 2
    assert "/nowhere/hub.yaml does not exist" in done.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        done = run_server(
            *("--config", str(tmp_path / "hub.yaml"), "--host", "127.0.0.1"),
            *("--port", port, "--management-port", "0"),
        )

    assert done.returncode == 2
    assert f"port {port}: Address already in use" in done.stderr


def test_help_names_the_options() -> None:
    done = run_server("--help")

    assert done.returncode == 0
    assert "--config" in done.stdout
    assert "MCPHUB_SECRETS_DIR" in done.stdout


def run_server(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "mcphub_server", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
