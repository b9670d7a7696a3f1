"""Which lines of the replicas' logs are shown."""

import json

import pytest

from mcphub_cli.audit_log import Filter, read_calls
from mcphub_cli.errors import HubError


def line(**parts):
    call = {"event": "tool call", "client": "etl", "tool": "shop_query"}
    return json.dumps({**call, "outcome": "ok", **parts})


LINES = [
    line(rows=1),
    line(client="ops-anna", rows=2),
    line(tool="orders_query", outcome="rejected", rows=3),
    json.dumps({"event": "started"}),
    "Traceback (most recent call last):",
]


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        pytest.param(Filter(), [1, 2, 3], id="every call, and nothing else"),
        pytest.param(Filter(tool="shop_*"), [1, 2], id="by a pattern of the tool"),
        pytest.param(Filter(client="ops-*"), [2], id="by a pattern of the client"),
        pytest.param(Filter(outcome="rejected"), [3], id="by outcome"),
        pytest.param(Filter(only_failures=True), [3], id="failures"),
        pytest.param(Filter(tool="shop_*", client="etl"), [1], id="by both"),
    ],
)
def test_calls_are_filtered(wanted, rows):
    assert [each["rows"] for each in read_calls(LINES, wanted)] == rows


def test_a_log_that_is_no_json_is_named():
    with pytest.raises(HubError, match="format text"):
        list(read_calls(["2026-11-29 tool call client=etl"], Filter()))


def test_an_empty_log_is_no_error():
    assert list(read_calls([], Filter())) == []
