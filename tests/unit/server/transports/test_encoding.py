"""Answers written past the SDK's encoder."""

import json

from hypothesis import given
from hypothesis import strategies as st
from mcp_types import ErrorData, JSONRPCError, JSONRPCResponse

from mcphub_server.results.encoded import EncodedJson
from mcphub_server.transports.encoding import encode_response

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


def build_response(structured, text=""):
    result = {
        "content": [{"type": "text", "text": text}],
        "isError": False,
        "structuredContent": structured,
        "_meta": {"a": {"b": None}},
    }
    return JSONRPCResponse(jsonrpc="2.0", id="x", result=result)


@given(st.dictionaries(TEXTS, VALUES))
def test_it_says_what_the_sdk_would(value):
    text = json.dumps(value)
    message = build_response(value, text)

    encoded = encode_response(build_response(EncodedJson(text), text))

    assert json.loads(encoded) == json.loads(message.model_dump_json(by_alias=True))


def test_other_messages_are_left_to_the_sdk():
    error = ErrorData(code=1, message="no")

    assert encode_response(None) is None
    assert encode_response(build_response({"a": 1})) is None
    assert encode_response(JSONRPCError(jsonrpc="2.0", id=1, error=error)) is None
