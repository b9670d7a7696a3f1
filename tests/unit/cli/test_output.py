"""Text says what JSON says, and obeys no terminal codes from a database."""

import json

import pytest

from mcphub_cli.hubs import parse_hub
from mcphub_cli.output import format_table, make_printable
from mcphub_cli.reports import describe_hub, show_hub, show_result

HUB = parse_hub(
    {
        "metadata": {"namespace": "ai", "name": "team", "generation": 1},
        "spec": {},
        "status": {
            "endpoints": {"mcp": "http://team.ai.svc:8000/mcp"},
            "summary": {"replicas": "2/3", "backends": "1/2"},
            "conditions": [
                {"type": "Ready", "status": "True", "reason": "R", "message": "M"}
            ],
            "backends": [{"name": "b", "type": "qdrant", "state": "S", "reason": "T"}],
            "tools": [{"name": "t", "state": "Invalid", "message": "no table"}],
        },
    }
)


def leaves(value):
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in leaves(each)]
    return [value]


def test_a_hubs_text_has_every_value_of_its_json():
    text = show_hub(HUB)

    values = [each for each in leaves(describe_hub(HUB)) if isinstance(each, str)]
    assert [each for each in values if each not in text] == []


def test_a_results_text_has_every_value_of_its_json():
    answer = {
        "columns": ["id", "id"],
        "rows": [[1, None], ["x", {"a": True}]],
        "row_count": 2,
        "truncated": False,
    }

    text = show_result(answer)

    assert text.splitlines() == [
        "id   id",
        "1    null",
        'x    {"a": true}',
        "",
        "row_count: 2",
        "truncated: false",
    ]


def test_what_is_no_table_is_shown_as_json():
    assert json.loads(show_result({"status": "healthy"})) == {"status": "healthy"}


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x9b31m", "\r", "\u202e", "\x07"])
def test_what_a_terminal_obeys_is_shown_as_an_escape(hostile):
    assert hostile not in make_printable(f"a{hostile}b")


def test_a_line_end_in_a_cell_makes_no_new_row():
    assert len(format_table(["A"], [["x\ny"]]).splitlines()) == 2
