"""A real hub, reached as a client reaches it, with the token of a real Secret."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mcphub_operator.client.kinds import HUB
from tests.support import postgres
from tests.support.hub import TOKEN, HubFiles, HubProcess, hub_process
from tests.support.postgres import running_postgres
from tests.support.running_operator import World

from .conftest import Run

SQL = "sql=SELECT name, id FROM customers ORDER BY id LIMIT 2"


@pytest.fixture(scope="module", params=["Stateless", "Stateful"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HubProcess]:
    """A hub process; with sessions, a call needs one."""
    with running_postgres() as shop:
        options = {
            "host": shop.host,
            "port": shop.port,
            "database": postgres.DATABASE,
        }
        files = HubFiles(
            tmp_path_factory.mktemp("hub"),
            {
                "backends": [{"name": "postgres", "postgres": options}],
                "transports": {"streamableHTTP": {"sessions": request.param}},
            },
            {
                "postgres": {
                    "username": postgres.READER,
                    "password": postgres.READER_PASSWORD,
                }
            },
        )
        with hub_process(files) as running:
            yield running


@pytest.fixture
async def hub(world: World, server: HubProcess) -> AsyncIterator[str]:
    """The same hub in the API server, with a status as the operator writes it."""
    await world.create_secret("tokens", alice=TOKEN)
    await world.apply_hub("team", auth={"tokensSecretRef": {"name": "tokens"}})
    good = {
        "Ready": "Available",
        "SecretsResolved": "Resolved",
        "BackendsReachable": "AllConnected",
        "ToolsValid": "NoTools",
    }
    conditions = [
        {
            "type": kind,
            "status": "True",
            "reason": reason,
            "message": "",
            "lastTransitionTime": "2026-11-29T08:33:14Z",
        }
        for kind, reason in good.items()
    ]
    status = {
        "observedGeneration": 1,
        "summary": {"replicas": "1/1", "backends": "1/1"},
        "endpoints": {"mcp": f"{server.url}/mcp"},
        "conditions": conditions,
    }
    await world.patch(HUB, "team", {"status": status}, "/status")
    return "team"


@pytest.fixture
def call(hub: str, server: HubProcess, run: Run) -> Run:
    """Call a tool of the hub."""
    return partial(run, "call", hub, f"--url={server.url}")


async def test_tools_and_calls_print_the_same_as_text_and_json(
    hub: str, server: HubProcess, run: Run
) -> None:
    at = f"--url={server.url}"
    listed = await asyncio.to_thread(run, "tools", hub, at)
    tools = await asyncio.to_thread(run, "tools", hub, at, "-o", "json")
    words = ("call", hub, "postgres_query", SQL, at)
    text = await asyncio.to_thread(run, *words)
    value = await asyncio.to_thread(run, *words, "-o", "json")

    names = [each["name"] for each in json.loads(tools.stdout)]
    assert [line.split()[0] for line in listed.stdout.splitlines()[1:]] == names
    assert "postgres_query" in names
    answer = json.loads(value.stdout)
    lines = text.stdout.splitlines()
    assert lines[0].split() == answer["columns"] == ["name", "id"]
    assert [line.rsplit(maxsplit=1) for line in lines[1:3]] == [
        [name, str(number)] for name, number in answer["rows"]
    ]
    assert f"row_count: {answer['row_count']}" in lines


async def test_the_walk_ends_with_a_call(
    hub: str, server: HubProcess, run: Run
) -> None:
    walk = await asyncio.to_thread(run, "doctor", hub, f"--url={server.url}")

    assert walk.returncode == 0, walk.stdout
    assert walk.stdout.splitlines()[-1] == (
        "ok     a call: 6 tools; All backends answer."
    )


async def test_a_token_that_is_refused_ends_the_walk(
    hub: str, server: HubProcess, run: Run
) -> None:
    walk = await asyncio.to_thread(
        run, "doctor", hub, f"--url={server.url}", MCPHUB_TOKEN="x" * 20
    )

    assert walk.returncode == 1
    assert "CallFailed" in walk.stdout
    assert "does not accept the token" in walk.stdout


@pytest.mark.parametrize(
    ("words", "variables", "code", "sentence"),
    [
        pytest.param(
            ["postgres_query", "sql=DROP TABLE customers"],
            {},
            1,
            "read",
            id="a tool's error is a result",
        ),
        pytest.param(["none"], {}, 2, "has no tool none", id="no such tool"),
        pytest.param(["postgres_query", "x"], {}, 2, "name=value", id="no argument"),
        pytest.param(
            ["health_check"],
            {"MCPHUB_TOKEN": "a\nb"},
            2,
            "line break",
            id="a token with a line break",
        ),
        pytest.param(
            ["health_check", "--client=bob"], {}, 2, "alice", id="an unknown client"
        ),
        pytest.param(
            ["health_check", "--url=http://127.0.0.1:9"],
            {},
            3,
            "No hub answers at",
            id="no hub at the address",
        ),
        pytest.param(
            ["health_check", "--url=ftp://x"], {}, 2, "not an http", id="no address"
        ),
    ],
)
async def test_a_call_that_fails_says_why(
    call: Run,
    words: list[str],
    variables: dict[str, Any],
    code: int,
    sentence: str,
) -> None:
    done = await asyncio.to_thread(call, *words, **variables)

    assert done.returncode == code, done.stderr
    assert sentence in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


FLAW = "holds a space, a line break or a letter beyond ASCII"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["connect"], id="connect"),
        pytest.param(["connect", "--to=cursor", "--write=FILE"], id="connect --write"),
        pytest.param(["tools"], id="tools"),
        pytest.param(["doctor"], id="doctor"),
    ],
)
async def test_a_token_with_a_line_break_goes_nowhere(
    hub: str, run: Run, tmp_path: Path, words: list[str]
) -> None:
    file = tmp_path / "mcp.json"
    command, *options = [each.replace("FILE", str(file)) for each in words]

    done = await asyncio.to_thread(
        run, command, hub, *options, MCPHUB_TOKEN="first\nsecond"
    )

    assert done.returncode == 2
    assert done.stderr == f"The token of --token or MCPHUB_TOKEN {FLAW}.\n"
    assert done.stdout == ""
    assert not file.exists()


@pytest.mark.parametrize(
    ("token", "flaw"),
    [
        pytest.param("first\nsecond", FLAW, id="with a line break"),
        pytest.param("", "is empty", id="that is empty"),
    ],
)
@pytest.mark.parametrize("command", ["connect", "tools"])
async def test_nor_does_such_a_token_of_a_secret(
    hub: str, run: Run, world: World, command: str, token: str, flaw: str
) -> None:
    await world.create_secret("bad", bob=token)
    await world.apply_hub("team", auth={"tokensSecretRef": {"name": "bad"}})

    done = await asyncio.to_thread(run, command, hub)

    assert done.returncode == 3
    assert done.stderr.startswith(f"The token of bob in Secret bad {flaw}; the hub")
    assert done.stdout == ""


async def test_a_line_end_around_a_token_does_no_harm(call: Run) -> None:
    done = await asyncio.to_thread(call, "health_check", MCPHUB_TOKEN=f" {TOKEN}\n")

    assert done.returncode == 0, done.stderr


async def test_doctor_calls_no_hub_wrong_for_a_client_that_is_not_there(
    hub: str, run: Run
) -> None:
    walk = await asyncio.to_thread(run, "doctor", hub, "--client=bob")

    assert walk.returncode == 2
    assert "WRONG" not in walk.stdout
    assert walk.stderr == (
        "Secret tokens has tokens of: alice. Choose one with --client, or put a token"
        " into MCPHUB_TOKEN.\n"
    )


async def test_connect_writes_a_file_that_only_its_owner_reads(
    hub: str, run: Run, tmp_path: Path, server: HubProcess
) -> None:
    file = tmp_path / "new" / "mcp.json"

    done = await asyncio.to_thread(
        run, "connect", hub, "--to=cursor", f"--write={file}"
    )
    shown = await asyncio.to_thread(run, "connect", hub, "--to=cursor")

    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout
    assert json.loads(file.read_text()) == json.loads(shown.stdout)
    assert file.stat().st_mode & 0o077 == 0
    server_entry = json.loads(shown.stdout)["mcpServers"]["team"]
    assert server_entry["url"] == f"{server.url}/mcp"
