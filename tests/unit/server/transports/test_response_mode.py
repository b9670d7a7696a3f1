"""The choice between one JSON body and a stream."""

import pytest

from mcphub_server.transports.response_mode import answers_with_json
from mcphub_server.web.jsonrpc import parse_message


def returns_result_only(tool: str) -> bool:
    return tool == "orders_query"


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        pytest.param(
            b'{"method":"tools/call","params":{"name":"orders_query","arguments":{}}}',
            True,
            id="an own tool answers whole",
        ),
        pytest.param(
            b'{"params":{"arguments":{"name":"x"},"name":"chatty"},'
            b'"method":"tools/call"}',
            False,
            id="a foreign tool may speak before",
        ),
        pytest.param(b'{"method":"tools/list"}', True, id="a list answers whole"),
        pytest.param(b'{"method":"tools/call"}', True, id="a call of nothing"),
        pytest.param(
            b'{"method":"tools/call","params":{"name":7}}', True, id="a malformed call"
        ),
        pytest.param(b"[]", True, id="a batch is refused whole"),
        pytest.param(b"{", True, id="what is not JSON is refused whole"),
        pytest.param(b'{"method":"\xff"}', True, id="nor is what is not UTF-8"),
        pytest.param(b"", True, id="nothing"),
    ],
)
def test_only_calls_of_foreign_tools_are_streamed(*, body: bytes, whole: bool) -> None:
    assert answers_with_json(parse_message(body), returns_result_only) is whole
