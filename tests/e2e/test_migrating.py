"""docs/migrating.md, followed literally while clients call without a break."""

from pathlib import Path

import pytest

from tests.support.doc_blocks import Reader
from tests.support.handmade.load import HUB, OLD, Load
from tests.support.handmade.objects import DEPLOYMENT, SERVICE, build_objects
from tests.support.hub_manifests import DATABASE_HOST
from tests.support.installation import Installation
from tools.project import DOCS
from tools.quickstart.trial import SERVER

PAGE = DOCS / "migrating.md"
NODE_PORT = 30820
"""The page's port is the one of the hub `demo`."""
FILL = {
    "30800": str(NODE_PORT),
    "postgres.data.svc": DATABASE_HOST,
    "database: app": "database: shop",
}
LAST_SWITCH = '"paused":false'
SWITCHES = {
    "mcp.bigtorig.com/take-over-selector": HUB,
    '"path": "/spec/selector"': OLD,
    LAST_SWITCH: HUB,
}
"""What answers new connections after the block with these words."""


@pytest.fixture(scope="module")
def team(installation: Installation) -> Installation:
    """A namespace with the hand-made deployment."""
    team = installation.open_namespace("migrating")
    image = installation.trial.images[SERVER.name]
    team.apply(*build_objects(image, NODE_PORT, *installation.login()))
    team.kubectl("rollout", "status", f"deployment/{DEPLOYMENT}", "--timeout=180s")
    return team


def test_no_call_is_lost_while_the_page_is_followed(
    team: Installation, tmp_path: Path, stopwatch
):
    reader = Reader(tmp_path, team.build_environment(tmp_path), fill=FILL)
    load = Load(f"http://{team.node_address()}:{NODE_PORT}")
    printed: dict[str, str] = {}

    with load.running(), stopwatch("migrating.md followed under load"):
        team.until("calls of the old pods", lambda: load.is_answered_by(OLD, since=0))
        for block, text in reader.follow(PAGE):
            printed[block.text] = text
            for words, server in SWITCHES.items():
                if words in block.text:
                    wait_answered_by(team, load, server)
            if LAST_SWITCH in block.text:
                # The page deletes the old pods once they get no more calls.
                load.leaves.set()
                team.until("the end of old connections", lambda: not load.kept)
        wait_answered_by(team, load, HUB)

    assert [call for call in load.calls if call.is_lost] == []
    assert any("Conflict" in text for text in printed.values())
    assert any("postgres: Connected" in text for text in printed.values())
    assert not team.exists("deployment", DEPLOYMENT)
    assert team.get("service", SERVICE)["spec"]["ports"][0]["nodePort"] == NODE_PORT


def wait_answered_by(team: Installation, load: Load, server: str) -> None:
    """Wait until each kind of client that opens connections reaches one server."""
    since = len(load.calls)
    team.until(
        f"calls of every client at {server}", lambda: load.is_answered_by(server, since)
    )
