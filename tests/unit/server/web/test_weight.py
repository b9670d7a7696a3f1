"""Messages that take the SDK long to read are told by their bytes."""

import json

import pytest

from mcphub_server.web.weight import MOST_UNITS, weigh
from tests.support.effort import at_most

NUMBERS = 65_536


def encode(arguments: object) -> bytes:
    params = {"name": "tool", "arguments": arguments}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return json.dumps(message).encode()


HEAVY = {
    "empty lists": [[]] * 60_000,
    "numbers": [0] * 210_000,
    "texts": ["x"] * 210_000,
    "texts with quotes": ['"\\'] * 210_000,
    "an object of many keys": {str(number): 1 for number in range(60_000)},
    "many objects": [{"a": 1}] * 30_000,
    "long numbers": [10**3_999] * 100,
    "numbers behind a text of backslashes": ["\\" * 1001, *[0] * 210_000],
    "numbers behind a text of quotes": ['"' * 1001, *[0] * 210_000],
}


@pytest.mark.parametrize("arguments", HEAVY.values(), ids=HEAVY)
def test_a_message_of_too_many_values_is_too_heavy(arguments: object) -> None:
    assert weigh(encode(arguments)) > MOST_UNITS


ORDINARY = {
    "nothing": {},
    "a long statement": {"sql": "SELECT 1" + ",1" * 8_000},
    "the largest dense vector": {"query_vector": [0.5] * NUMBERS},
    "the largest sparse vector": {
        "query_vector": {"indices": [*range(NUMBERS)], "values": [0.5] * NUMBERS}
    },
    "the largest list of vectors": {"query_vector": [[0.5] * 64] * 1_024},
    "the most parameters": {"parameters": ["x"] * 20_000},
    "a document with four thousand objects": {
        "parameters": [[{"name": "x", "count": 1, "of": None}] * 4_000]
    },
    "a long text of signs": {"parameters": ["[{,:" * 700_000]},
    "a long text of digits": {"parameters": ["9" * 4_000_000]},
    "numbers of a thousand digits": {"parameters": [10**999] * 20},
    "a long text of quotes and backslashes": {"parameters": ['",\\' * 500_000]},
}


@pytest.mark.parametrize("arguments", ORDINARY.values(), ids=ORDINARY)
def test_what_a_tool_takes_is_not_too_heavy(arguments: object) -> None:
    assert weigh(encode(arguments)) <= MOST_UNITS


@pytest.mark.parametrize("arguments", [*HEAVY.values(), *ORDINARY.values()])
def test_weighing_is_quick(arguments: object) -> None:
    """A unit is some 3 ms; what is refused here costs the SDK up to a second."""
    message = encode(arguments)
    with at_most(units=15):
        weigh(message)
