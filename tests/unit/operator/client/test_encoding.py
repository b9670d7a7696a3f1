"""Bodies survive a parser of YAML and stay JSON."""

import json

import pytest

from mcphub_operator.client.encoding import encode_body


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("plain", id="plain text"),
        pytest.param("\U0001f600", id="beyond 16 bits"),
        pytest.param("a\x7fb\x85c\x9f", id="control characters"),
        pytest.param("a\u2028b\u2029", id="line breaks of Unicode"),
        pytest.param("\ufeff\ufffe\uffff", id="byte order marks"),
        pytest.param('"\\\n\t\x00', id="what JSON itself escapes"),
    ],
)
def test_a_text_comes_out_as_it_went_in(text: str):
    written = encode_body({"text": text})

    assert json.loads(written) == {"text": text}
    assert b"\\ud8" not in written
    for forbidden in ("\x7f", "\x85", "\u2028", "\u2029", "\ufeff", "\uffff"):
        assert forbidden not in written.decode()
