"""An authorization server, a browser, and hubs that believe that server's tokens."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser.chromium import open_tab, running_chromium
from tests.support.hub import HubFiles, LoopHub, hub_in_loop
from tests.support.oauth.authorization_server import (
    SCOPE,
    AuthorizationServer,
    running_authorization_server,
)
from tests.support.oauth.person import Person
from tools.ports import reserve_port

RunHub = Callable[..., AbstractAsyncContextManager[LoopHub]]
Invite = Callable[[str], AbstractAsyncContextManager[Person]]


@pytest.fixture(scope="session")
def authorization_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[AuthorizationServer]:
    with running_authorization_server(tmp_path_factory.mktemp("oauth")) as server:
        yield server


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_chromium(tmp_path_factory.mktemp("profile")) as address:
        yield address


@pytest.fixture
def invite(browser: str) -> Invite:
    """Open the browser of a person who signs in with a name."""

    @asynccontextmanager
    async def person(login: str) -> AsyncIterator[Person]:
        async with open_tab(browser) as tab:
            yield Person(tab, login)

    return person


@pytest.fixture
def run_hub(authorization_server: AuthorizationServer, tmp_path: Path) -> RunHub:
    """Run a hub whose publicURL is where it listens; it needs SCOPE."""

    @asynccontextmanager
    async def run(**jwt: Any) -> AsyncIterator[LoopHub]:
        port = reserve_port()
        options = {
            "issuer": authorization_server.issuer,
            "jwksURI": authorization_server.keys,
            "requiredScopes": [SCOPE],
        }
        config = {
            "auth": {"type": "JWT", "jwt": options | jwt},
            "publicURL": f"http://127.0.0.1:{port}/",
        }
        files = HubFiles(tmp_path / f"hub-{port}", config)
        async with hub_in_loop(files, port=port) as hub:
            yield hub

    return run
