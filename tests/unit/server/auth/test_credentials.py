"""What a request's credential is, and what is told of one that cannot be read."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

import pytest

from mcphub_server.auth.credentials import find_credential
from mcphub_server.auth.middleware import AuthPolicy, build_refusal
from mcphub_server.auth.refusals import SENTENCES, CredentialRefused, Refusal
from mcphub_server.web.paths import Endpoint
from mcphub_server.web.request import REQUEST, WEBSOCKET, MCPRequest

TOKEN = "k-4711-of-the-warehouse"
OFFER = f"bearer.{urlsafe_b64encode(TOKEN.encode()).decode().rstrip('=')}"


def scope(*headers: str, offered: Sequence[str] | None = None) -> dict[str, Any]:
    """Make the scope of a request; with `offered`, of a WebSocket."""
    method = "POST" if offered is None else WEBSOCKET
    return {
        "type": "http" if offered is None else "websocket",
        "headers": [(b"authorization", each.encode("latin-1")) for each in headers],
        "subprotocols": list(offered or ()),
        REQUEST: MCPRequest(Endpoint.HTTP, method),
    }


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(f"Bearer {TOKEN}", id="as written in RFC 6750"),
        pytest.param(f"bearer {TOKEN}", id="in lower case"),
        pytest.param(f"BEARER {TOKEN}", id="in upper case"),
        pytest.param(f"bEaReR {TOKEN}", id="in mixed case"),
        pytest.param(f"Bearer    {TOKEN}", id="several spaces"),
        pytest.param(f"Bearer {TOKEN}  ", id="spaces behind it"),
        pytest.param(f"Bearer {TOKEN}\t", id="a tab behind it"),
        pytest.param(f"  Bearer {TOKEN}", id="spaces before it"),
    ],
)
def test_a_token_is_found(header: str) -> None:
    assert find_credential(scope(header)) == TOKEN


@pytest.mark.parametrize(
    ("headers", "reason", "status"),
    [
        pytest.param([], Refusal.MISSING, 401, id="no header"),
        pytest.param([""], Refusal.EMPTY, 401, id="an empty header"),
        pytest.param(["  "], Refusal.EMPTY, 401, id="a header of spaces"),
        pytest.param(["Bearer"], Refusal.EMPTY, 401, id="the scheme alone"),
        pytest.param(["Bearer "], Refusal.EMPTY, 401, id="the scheme and a space"),
        pytest.param(["Bearer \t "], Refusal.EMPTY, 401, id="white space as token"),
        pytest.param(["Basic YTpi"], Refusal.SCHEME, 401, id="Basic"),
        pytest.param([TOKEN], Refusal.SCHEME, 401, id="the token alone"),
        pytest.param([f"Token {TOKEN}"], Refusal.SCHEME, 401, id="Token"),
        pytest.param([f"Bearer:{TOKEN}"], Refusal.SCHEME, 401, id="a colon"),
        pytest.param([f"Bearer{TOKEN}"], Refusal.SCHEME, 401, id="no space"),
        pytest.param(["DPoP x"], Refusal.SCHEME, 401, id="DPoP"),
        pytest.param([f"Bearer\t{TOKEN}"], Refusal.HEADER, 400, id="a tab"),
        pytest.param([f"Bearer \t{TOKEN}"], Refusal.HEADER, 400, id="space and tab"),
        pytest.param(
            [f"Bearer Bearer {TOKEN}"], Refusal.HEADER, 400, id="the scheme twice"
        ),
        pytest.param([f"Bearer {TOKEN} x"], Refusal.HEADER, 400, id="two tokens"),
        pytest.param([f"Bearer {TOKEN}\x00"], Refusal.HEADER, 400, id="a zero"),
        pytest.param(
            [f"Bearer {TOKEN}"] * 2, Refusal.SEVERAL, 400, id="the same header twice"
        ),
        pytest.param(
            [f"Bearer {TOKEN}", "Basic YTpi"], Refusal.SEVERAL, 400, id="two schemes"
        ),
        pytest.param(["", f"Bearer {TOKEN}"], Refusal.SEVERAL, 400, id="one empty"),
    ],
)
def test_what_is_no_credential_is_told_apart(
    headers: list[str], reason: Refusal, status: int
) -> None:
    with pytest.raises(CredentialRefused) as refused:
        find_credential(scope(*headers))

    response = build_refusal(refused.value.reason, AuthPolicy(None), "/mcp")
    assert refused.value.reason is reason
    assert response.status_code == status
    assert response.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in f"{refused.value!r}{bytes(response.body).decode()}"


@pytest.mark.parametrize(
    ("headers", "offered", "token"),
    [
        pytest.param([], ["mcp", OFFER], TOKEN, id="an offer"),
        pytest.param([f"Bearer {TOKEN}"], ["mcp"], TOKEN, id="a header"),
        pytest.param(["Basic YTpi"], ["mcp", OFFER], TOKEN, id="a proxy's login"),
    ],
)
def test_a_websocket_brings_its_token(
    headers: list[str], offered: list[str], token: str
) -> None:
    assert find_credential(scope(*headers, offered=offered)) == token


@pytest.mark.parametrize(
    ("headers", "offered", "reason"),
    [
        pytest.param([], ["mcp"], Refusal.MISSING, id="none"),
        pytest.param([], ["bearer.\xff"], Refusal.HEADER, id="no base64"),
        pytest.param([], ["bearer."], Refusal.HEADER, id="an empty one"),
        pytest.param([], [OFFER, OFFER], Refusal.SEVERAL, id="two offers"),
        pytest.param([f"Bearer {TOKEN}"], [OFFER], Refusal.SEVERAL, id="both"),
        pytest.param(["Basic YTpi"], ["mcp"], Refusal.SCHEME, id="Basic alone"),
    ],
)
def test_a_websocket_without_one_credential_is_refused(
    headers: list[str], offered: list[str], reason: Refusal
) -> None:
    with pytest.raises(CredentialRefused) as refused:
        find_credential(scope(*headers, offered=offered))

    assert refused.value.reason is reason


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Refusal)
