"""Draws the pictures of the page at `/` for the documentation: `make pictures`.

They are what Chromium shows of a real hub with the trial database.
"""

import asyncio
import json
import subprocess
import tempfile
from pathlib import Path

from tests.page.conftest import build_files
from tests.page.test_page import MESSAGE, call, log_in
from tests.support.browser.chromium import Tab, open_tab, running_chromium
from tests.support.hub import HubProcess, hub_process
from tests.support.postgres import running_postgres
from tests.support.system_packages import ensure_packages

FOLDER = Path("docs/pictures")
SQL = (
    "SELECT id, placed, total, customer_id FROM sales.orders"
    " WHERE total > 500 ORDER BY placed DESC, id"
)
LARGEST_BYTES = 150_000

HIDDEN = ["no-token", "clients"]
"""The long texts for clients; they carry the hub's port of the moment."""


async def draw(tab: Tab, server: HubProcess, scheme: str) -> None:
    """Draw a hub in use, without the texts for each client."""
    await tab.emulate(scheme, width=760)
    await tab.open(f"{server.url}/")
    await log_in(tab)
    await tab.wait_for("!document.getElementById('call').hidden")
    await call(tab, "postgres_query", sql=SQL, limit="5")
    await tab.wait_for(f"{MESSAGE} === 'Done.'")
    await tab.run(
        f"for (const id of {json.dumps(HIDDEN)}) document.getElementById(id).hidden"
        " = true; for (const id of ['url-mcp', 'url-sse'])"
        " document.getElementById(id).textContent ="
        " 'https://mcp.example.com/' + id.slice(4)"
    )
    (FOLDER / f"page-{scheme}.png").write_bytes(shrink(await tab.draw()))


def shrink(picture: bytes) -> bytes:
    """Return a PNG with a palette: a page of text needs few colours."""
    command = ["pngquant", "--speed=1", "--strip", "-"]
    small = subprocess.run(command, input=picture, capture_output=True, check=True)
    if len(small.stdout) > LARGEST_BYTES:
        raise RuntimeError(f"a picture has {len(small.stdout)} bytes")
    return small.stdout


async def draw_all(address: str, server: HubProcess) -> None:
    """Draw the page in both colour schemes."""
    for scheme in ("light", "dark"):
        async with open_tab(address) as tab:
            await draw(tab, server, scheme)


def main() -> None:
    """Write the pictures."""
    FOLDER.mkdir(exist_ok=True)
    ensure_packages(pngquant="pngquant")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_postgres() as shop,
        hub_process(build_files(Path(folder) / "hub", shop), MCPHUB_HUB="shop") as hub,
        running_chromium(Path(folder) / "profile") as browser,
    ):
        asyncio.run(draw_all(browser, hub))


if __name__ == "__main__":
    main()
