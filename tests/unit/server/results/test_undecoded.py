"""Dates of any year, computed as Neo4j's own toString() prints them."""

from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcphub_server.results.undecoded import (
    UNREADABLE,
    format_date,
    format_datetime,
    format_offset,
    read_structure,
)

EPOCH = date(1970, 1, 1)


@dataclass
class Structure:
    """What the driver keeps of a value that it cannot decode."""

    tag: bytes
    fields: list[object] = field(default_factory=list)


@given(st.dates())
def test_dates_that_python_has_are_printed_as_python_prints_them(day: date) -> None:
    assert format_date((day - EPOCH).days) == day.isoformat()


@pytest.mark.parametrize(
    ("days", "text"),
    [
        pytest.param(-719_528, "0000-01-01", id="the year nought"),
        pytest.param(-719_529, "-0001-12-31", id="the day before"),
        pytest.param(2_932_897, "+10000-01-01", id="the year 10000"),
        pytest.param(365_241_780_471, "+999999999-12-31", id="Neo4j's last day"),
        pytest.param(-365_243_219_162, "-999999999-01-01", id="Neo4j's first day"),
    ],
)
def test_dates_beyond_python_carry_their_sign(days: int, text: str) -> None:
    assert format_date(days) == text


def test_the_days_of_the_year_nought_follow_one_another() -> None:
    days = [format_date(-719_528 + n) for n in range(366)]

    leap = [(date(2000, 1, 1) + timedelta(n)).isoformat()[4:] for n in range(366)]
    assert days == [f"0000{rest}" for rest in leap]


def test_times_before_the_epoch_count_forward_within_their_day() -> None:
    assert format_datetime(-1, 5) == "1969-12-31T23:59:59.000000005"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "+00:00"), (5400, "+01:30"), (-12_600, "-03:30")]
)
def test_offsets_are_hours_and_minutes(seconds: int, text: str) -> None:
    assert format_offset(seconds) == text


@pytest.mark.parametrize(
    ("structure", "expected"),
    [
        pytest.param(
            Structure(b"I", [0, 0, 3600]),
            "1970-01-01T01:00:00.000000000+01:00",
            id="a datetime with an offset",
        ),
        pytest.param(
            Structure(b"i", [0, 0, "Europe/Paris"]),
            "1970-01-01T00:00:00.000000000Z[Europe/Paris]",
            id="a datetime in a zone",
        ),
        pytest.param(
            Structure(b"N", [1, ["B", "A"], {"x": 1}, "4:a:1"]),
            {"element_id": "4:a:1", "labels": ["A", "B"], "properties": {"x": 1}},
            id="a node",
        ),
        pytest.param(
            Structure(b"R", [1, 2, 3, "KNOWS", {}, "5:a:1", "4:a:2", "4:a:3"]),
            {
                "element_id": "5:a:1",
                "type": "KNOWS",
                "start": "4:a:2",
                "end": "4:a:3",
                "properties": {},
            },
            id="a relationship",
        ),
        pytest.param(Structure(b"?", [1]), UNREADABLE, id="an unknown structure"),
    ],
)
def test_structures_become_simple_values(
    structure: Structure, expected: object
) -> None:
    assert read_structure(structure) == expected
