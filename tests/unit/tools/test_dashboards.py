"""The committed dashboards are those of the program, and fit on a page."""

import json
from pathlib import Path

import pytest

from tests.support.dashboards import DASHBOARDS
from tools.dashboards.__main__ import generate

FILES = sorted(DASHBOARDS.glob("*.json"))


@pytest.mark.parametrize("path", sorted(generate()), ids=str)
def test_the_committed_dashboards_are_what_the_program_makes(path: Path) -> None:
    assert path.read_text() == generate()[path], "run `make crd`"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_panels_have_a_place_and_a_unit_of_their_own(path: Path) -> None:
    places: set[tuple[int, int]] = set()

    for panel in json.loads(path.read_text())["panels"]:
        grid = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not places & cells, panel["title"]
        assert grid["x"] + grid["w"] <= 24
        assert panel["fieldConfig"]["defaults"]["unit"]
        places |= cells


def test_there_is_a_dashboard_for_each_reader() -> None:
    uids = [json.loads(path.read_text())["uid"] for path in FILES]

    assert uids == ["mcphub-hub", "mcphub-hubs", "mcphub-operator"]
