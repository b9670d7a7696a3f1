"""From a bare URL to a tool call, as hosted clients do it, with a real issuer.

The client knows the URL of the hub. It finds the authorization server by the hub's
metadata, registers itself, sends its person to sign in, and exchanges the code.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import httpx2
import pytest
from fastmcp import Client
from fastmcp.client.transports import (
    SSETransport,
    StdioTransport,
    StreamableHttpTransport,
)

from tests.support.node.clients import install_clients
from tests.support.oauth.authorization_server import EXPIRED, SCOPE, UNSCOPED
from tests.support.oauth.client import OAuthClient, open_oauth_client
from tests.support.oauth.person import Person
from tests.support.waiting import wait_until
from tools.ports import reserve_port

from .conftest import Invite, RunHub

VISIT = "Please authorize this client by visiting:"


async def knock(url: str, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(timeout=100) as http:
        return await http.post(url, json={}, headers=headers)


async def sign_in(client: OAuthClient, url: str) -> None:
    """Let a client get a token by itself, whatever the token is worth."""
    async with httpx2.AsyncClient(auth=client.auth, timeout=100) as http:
        await http.post(url, json={})


@pytest.mark.parametrize("transport", [StreamableHttpTransport, SSETransport])
async def test_a_client_that_knows_the_url_signs_in_and_calls_a_tool(
    transport: type, run_hub: RunHub, invite: Invite
) -> None:
    path = "sse" if transport is SSETransport else "mcp"
    async with run_hub() as hub, invite("ann") as ann:
        url = f"{hub.url}/{path}"
        async with (
            open_oauth_client(url, ann) as oauth,
            Client(transport(url, auth=oauth.auth), timeout=100) as client,
        ):
            answer = await client.call_tool("health_check")

    assert answer.structured_content["service"] == "mcphub"
    (page,) = oauth.pages
    asked = parse_qs(urlsplit(page).query)
    assert asked["resource"] == [url]
    assert asked["code_challenge_method"] == ["S256"]
    assert SCOPE in asked["scope"][0].split()
    assert oauth.memory.registration is not None


async def test_a_token_for_one_hub_does_not_open_another(
    run_hub: RunHub, invite: Invite
) -> None:
    async with run_hub() as hub, run_hub() as other, invite("ann") as ann:
        async with open_oauth_client(f"{hub.url}/mcp", ann) as oauth:
            await sign_in(oauth, f"{hub.url}/mcp")
        own = await knock(f"{hub.url}/mcp", oauth.memory.token)
        foreign = await knock(f"{other.url}/mcp", oauth.memory.token)

    assert own.status_code == 400
    assert "jsonrpc" in own.json()
    assert foreign.status_code == 401
    assert foreign.json()["error_description"] == (
        "The token is for another audience than this hub."
    )
    where = f"{other.url}/.well-known/oauth-protected-resource/mcp"
    assert foreign.headers["www-authenticate"] == (
        'Bearer error="invalid_token", '
        'error_description="The token is for another audience than this hub.", '
        f'scope="{SCOPE}", resource_metadata="{where}"'
    )


@pytest.mark.parametrize(
    ("login", "status", "error", "sentence"),
    [
        pytest.param(
            EXPIRED,
            401,
            "invalid_token",
            "The token has expired; get a new one.",
            id="expired",
        ),
        pytest.param(
            UNSCOPED,
            403,
            "insufficient_scope",
            "This token lacks a required scope.",
            id="without the scope",
        ),
    ],
)
async def test_a_token_that_does_not_hold_is_refused_with_a_sentence(
    run_hub: RunHub,
    invite: Invite,
    login: str,
    status: int,
    error: str,
    sentence: str,
) -> None:
    async with run_hub() as hub, invite(login) as person:
        url = f"{hub.url}/mcp"
        async with open_oauth_client(url, person) as oauth:
            await sign_in(oauth, url)
        answer = await knock(url, oauth.memory.token)

    assert answer.status_code == status
    assert answer.json() == {"error": error, "error_description": sentence}
    assert f'error="{error}"' in answer.headers["www-authenticate"]
    assert f'scope="{SCOPE}"' in answer.headers["www-authenticate"]


async def test_mcp_remote_signs_in_for_a_client_without_oauth(
    run_hub: RunHub, invite: Invite, tmp_path: Path
) -> None:
    async with run_hub() as hub, invite("ann") as ann:
        transport = build_remote(f"{hub.url}/mcp", tmp_path)
        client = Client(transport, timeout=100)
        async with asyncio.TaskGroup() as group:
            group.create_task(follow(tmp_path / "mcp-remote.log", ann))
            async with client:
                answer = await client.call_tool("health_check")

    assert answer.structured_content["service"] == "mcphub"


def build_remote(url: str, folder: Path) -> StdioTransport:
    """Return mcp-remote with no settings but the URL, and no browser of its own."""
    program, *words = install_clients().remote
    environment: Mapping[str, str] = {
        "HOME": str(folder / "home"),
        "PATH": "/usr/bin:/bin",
        "NO_COLOR": "1",
    }
    (folder / "home").mkdir()
    return StdioTransport(
        program,
        [
            *words,
            url,
            str(reserve_port()),
            "--transport",
            "http-only",
            "--host",
            "127.0.0.1",
        ],
        env=dict(environment),
        keep_alive=False,
        log_file=folder / "mcp-remote.log",
    )


async def follow(log: Path, person: Person) -> None:
    """Sign in at the address that a program prints."""
    found: list[str] = []

    def is_printed() -> bool:
        text = log.read_text(encoding="utf-8") if log.exists() else ""
        found[:] = text.partition(VISIT)[2].split()[:1]
        return bool(found) and text.partition(VISIT)[2].count("\n") > 1

    await wait_until(is_printed)
    await person.authorize(found[0])
