import pytest

from mcphub_server.web.jsonrpc import LONGEST_ID, parse_message

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
