"""What a page may offer, and what is left of it."""

from base64 import urlsafe_b64encode

import pytest

from mcphub_server.web.subprotocols import list_offered_tokens, without_tokens

TOKEN = "a token"
OFFER = f"bearer.{urlsafe_b64encode(TOKEN.encode()).decode().rstrip('=')}"


@pytest.mark.parametrize(
    ("offered", "tokens"),
    [
        pytest.param(["mcp", OFFER], [TOKEN], id="a token"),
        pytest.param([OFFER, "mcp"], [TOKEN], id="a token first"),
        pytest.param([OFFER, OFFER], [TOKEN, TOKEN], id="two tokens"),
        pytest.param(["mcp"], [], id="no token"),
        pytest.param(["mcp", "bearer."], [""], id="an empty token"),
        pytest.param(["mcp", "bearer.\xff"], [""], id="not of base64"),
        pytest.param(["mcp", "bearer.gA"], [""], id="bytes that are no text"),
    ],
)
def test_the_tokens_of_an_offer(offered, tokens):
    assert list_offered_tokens(offered) == tokens


def test_nothing_of_a_token_stays_in_the_scope():
    offered = f"mcp, {OFFER}".encode()
    scope = {
        "type": "websocket",
        "subprotocols": ["mcp", OFFER],
        "headers": [(b"host", b"hub"), (b"sec-websocket-protocol", offered)],
    }

    left = without_tokens(scope)

    assert left["subprotocols"] == ["mcp"]
    assert left["headers"] == [(b"host", b"hub"), (b"sec-websocket-protocol", b"mcp")]
