"""One hub with a database, and one browser, for all tests of the page."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support import postgres
from tests.support.browser.axe import install_axe
from tests.support.browser.chromium import Tab, open_tab, running_chromium
from tests.support.hub import HubFiles, HubProcess, hub_process
from tests.support.postgres import PostgresServer, running_postgres


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_chromium(tmp_path_factory.mktemp("profile")) as address:
        yield address


def build_files(
    folder: Path, shop: PostgresServer, sessions: str = "Stateless"
) -> HubFiles:
    """Return the files of a hub on the trial database."""
    options = {"host": shop.host, "port": shop.port, "database": postgres.DATABASE}
    login = {"username": postgres.READER, "password": postgres.READER_PASSWORD}
    config = {
        "backends": [{"name": "postgres", "postgres": options}],
        "transports": {"streamableHTTP": {"sessions": sessions}},
    }
    return HubFiles(folder, config, {"postgres": login})


@pytest.fixture(scope="session", params=["Stateless", "Stateful"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HubProcess]:
    with running_postgres() as shop:
        files = build_files(tmp_path_factory.mktemp("hub"), shop, request.param)
        with hub_process(files, MCPHUB_HUB="team-data") as running:
            yield running


@pytest.fixture(scope="session")
def axe() -> str:
    return install_axe()


@pytest.fixture
async def tab(browser: str, server: HubProcess) -> AsyncIterator[Tab]:
    async with open_tab(browser) as opened:
        await opened.open(f"{server.url}/")
        yield opened
