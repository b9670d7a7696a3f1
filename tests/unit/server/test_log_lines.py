"""What an event looks like as a line of JSON, or of text."""

import json
import logging
from typing import Any

import pytest

from mcphub_server.config.hub import LogFormat
from mcphub_server.line_budget import LINES, LineBudget
from mcphub_server.logs import (
    BoundedOrigins,
    build_renderers,
    build_stamp,
    encode_line,
)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param("Käse", "Käse", id="text"),
        pytest.param("\ud800", "\ud800", id="half a surrogate pair"),
        pytest.param(["a", 1, None], ["a", 1, None], id="a list"),
        pytest.param(object(), "object", id="of a strange value its type alone"),
    ],
)
def test_a_line_can_be_read_again(value: object, written: object) -> None:
    line = encode_line({"event": "tool call", "value": value})

    assert json.loads(line) == {"event": "tool call", "value": written}


def render(event: dict[str, Any], written: LogFormat) -> str:
    line: Any = event
    for renderer in build_renderers(written):
        line = renderer(logging.getLogger(), "info", line)
    return str(line)


@pytest.mark.parametrize("written", list(LogFormat))
@pytest.mark.parametrize("place", ["tool", "event", "trace"])
@pytest.mark.parametrize(
    ("made_up", "shown"),
    [
        pytest.param("x\x1b[2Jy", ("x\\x1b[2Jy", "x\\u001b[2Jy"), id="an escape"),
        pytest.param("x\ny", ("x\\ny",), id="a line end"),
        pytest.param("x\r\x07y", ("x\\r\\x07y", "x\\r\\u0007y"), id="a bell"),
    ],
)
def test_a_made_up_name_stays_within_its_line(
    made_up: str, shown: tuple[str, ...], place: str, written: LogFormat
) -> None:
    value = [made_up] if place == "trace" else made_up

    line = render({"event": "tool call", place: value}, written)

    assert line.isprintable()
    assert any(each in line for each in shown)


def test_what_can_be_printed_stays_as_it_is_in_text() -> None:
    line = render({"event": "tool call", "client": "Käse", "rows": 3}, LogFormat.TEXT)

    assert line.split() == ["tool", "call", "client=Käse", "rows=3"]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("x\x9b2Jy", id="a control character of one byte"),
        pytest.param("x\u2028y", id="a line end of Unicode"),
        pytest.param("x\u202ey", id="one that turns the line around"),
        pytest.param("x\ud800y", id="half a surrogate pair"),
    ],
)
def test_nor_do_strange_characters_reach_a_terminal(value: str) -> None:
    line = render({"event": "tool call", "tool": value}, LogFormat.TEXT)

    assert line.isprintable()


def test_lines_that_strangers_cause_in_a_library_are_bounded() -> None:
    bounded = BoundedOrigins(LineBudget(lambda: 0.0))

    def passes(line: int) -> bool:
        place = ("uvicorn.error", logging.WARNING, "h11_impl.py", line)
        return bounded.filter(logging.LogRecord(*place, "Invalid", None, None))

    assert [passes(1) for _ in range(LINES + 2)] == [True] * LINES + [False] * 2
    assert passes(2)


def test_a_line_says_of_which_hub_it_is() -> None:
    stamp = build_stamp({"hub": "team", "namespace": "ai", "pod": ""})

    event = stamp(logging.getLogger(), "info", {"event": "serving", "hub": "other"})

    assert event == {"event": "serving", "hub": "team", "namespace": "ai"}
