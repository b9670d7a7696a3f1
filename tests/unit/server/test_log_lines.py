"""What an event looks like as a line of JSON."""

import json

import pytest

from mcphub_server.logs import encode_line


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
