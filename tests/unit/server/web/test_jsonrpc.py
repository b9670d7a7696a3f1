import json

import pytest

from mcphub_server.web.jsonrpc import LONGEST_ID, LONGEST_NAME, parse_message

DEEP = b'{"id":1,"method":"ping","params":' + b"[" * 3000 + b"]" * 3000 + b"}"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="no JSON"),
        pytest.param(b'{"id":1,"method":"\xff"}', id="no UTF-8"),
        pytest.param(b"[" * 3000, id="depth without an end"),
        pytest.param(b'[{"id":1,"method":"ping"}]', id="a batch"),
    ],
)
def test_what_cannot_be_read_is_no_request(body):
    message = parse_message(body)

    assert message.request_id is None
    assert message.method == ""
    assert message.cancelled_id is None
    assert message.tool is None


def test_deep_parameters_do_not_matter_here():
    assert parse_message(DEEP).request_id in {1, None}


@pytest.mark.parametrize(
    ("number", "found"),
    [
        pytest.param("7", 7, id="a number"),
        pytest.param('"seven"', "seven", id="a text"),
        pytest.param("1.5", None, id="no number that JSON-RPC allows"),
        pytest.param('"' + "x" * LONGEST_ID + '"', "x" * LONGEST_ID, id="a long one"),
        pytest.param('"' + "x" * (LONGEST_ID + 1) + '"', None, id="too long a one"),
    ],
)
def test_the_id_of_a_request(number, found):
    body = f'{{"id":{number},"method":"ping"}}'.encode()

    assert parse_message(body).request_id == found


@pytest.mark.parametrize(
    ("params", "found"),
    [
        pytest.param('{"requestId":5,"reason":"timeout"}', 5, id="a number"),
        pytest.param('{"requestId":"a"}', "a", id="a text"),
        pytest.param("{}", None, id="of nothing"),
        pytest.param("7", None, id="nonsense"),
    ],
)
def test_what_a_cancellation_names(params, found):
    body = f'{{"method":"notifications/cancelled","params":{params}}}'.encode()

    assert parse_message(body).cancelled_id == found


def long_in(**params):
    return {"id": 1, "method": "any", "params": params}


LONG = "x" * LONGEST_NAME


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({"id": 1, "method": LONG + "x"}, id="a method"),
        pytest.param({"id": "x" * (LONGEST_ID + 1), "method": "any"}, id="an id"),
        pytest.param(long_in(name=LONG), id="a tool or a prompt"),
        pytest.param(long_in(uri="é" * 700), id="a resource, in escapes"),
        pytest.param(long_in(cursor=LONG), id="a page"),
        pytest.param(long_in(protocolVersion=LONG), id="a revision"),
        pytest.param(long_in(name=[LONG]), id="what is no name at all"),
    ],
)
def test_a_name_longer_than_any_is_told(message):
    assert parse_message(json.dumps(message).encode()).has_long_name


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({"id": 1, "method": "ping"}, id="no parameters"),
        pytest.param(long_in(name="x" * 4_000, arguments={}), id="a long name"),
        pytest.param(long_in(name="x", arguments={"sql": LONG * 9}), id="a long text"),
        pytest.param({"id": 1, "method": "x", "params": [LONG]}, id="a list"),
        pytest.param({"id": None, "result": {"name": LONG}}, id="a response"),
    ],
)
def test_what_is_long_and_no_name_is_none_of_them(message):
    assert not parse_message(json.dumps(message).encode()).has_long_name
