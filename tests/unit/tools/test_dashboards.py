"""The committed dashboards are those of the program, and fit on a page."""

import json
import math
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.support.dashboards import DASHBOARDS
from tools.dashboards.__main__ import generate
from tools.dashboards.drawing import Series, draw, find_points, find_top, format_value

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


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.25, "percentunit", "25%"),
        (0.0125, "s", "12.5 ms"),
        (2.5, "s", "2.5 s"),
        (12_300, "reqps", "12.3 k/s"),
        (1_500_000, "bytes", "1.5 MB"),
        (3, "short", "3"),
        (4200, "short", "4.2 k"),
    ],
)
def test_values_are_drawn_with_their_unit(value: float, unit: str, shown: str) -> None:
    assert format_value(value, unit) == shown


def test_an_axis_ends_above_its_values() -> None:
    assert [find_top(iter(v)) for v in ([0.3], [7], [100], [], [math.nan, 0])] == [
        pytest.approx(0.5),
        10,
        100,
        1,
        1,
    ]


def test_a_line_is_broken_where_there_is_no_value() -> None:
    path = find_points([1, math.nan, 1, 1], (0, 30), (10, 0), 1.0)

    assert path == "M0 0.0M20 0.0L30 0.0"


def test_what_labels_say_is_no_markup() -> None:
    dashboard = json.loads((DASHBOARDS / "hubs.json").read_text())
    results = {p["id"]: [Series("<b>", [1.0])] for p in dashboard["panels"]}

    drawn = draw(dashboard, results, "<note>")

    root = ET.fromstring(drawn)  # noqa: S314 -- drawn a line above
    assert "<b>" in [each.text for each in root.iter() if each.text]
