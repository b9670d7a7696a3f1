from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcphub_server.sessions.forwarding.forward_token import (
    ForwardToken,
    find_forward_token,
    sign_forward_token,
)
from mcphub_server.sessions.tokens.principal import Principal
from mcphub_server.sessions.tokens.session_id import digest

KEY, OTHER_KEY = b"a key", b"another key"
HUB = "ai/team-data"
NOW = 1_800_000_000

TOKEN = ForwardToken(
    owner_uid=digest("3f0c"),
    target="POST /messages/?session_id=abc",
    principal=Principal("ann", "https://issuer", "subject", ("read",)),
    client="10.0.0.9",
    issued_at=NOW,
)
SIGNED = sign_forward_token(TOKEN, HUB, KEY)


def test_a_ticket_says_who_asked_for_what():
    assert find_forward_token(SIGNED, HUB, [OTHER_KEY, KEY], NOW) == TOKEN


@pytest.mark.parametrize(
    ("text", "hub", "keys", "now"),
    [
        pytest.param(SIGNED, HUB, [OTHER_KEY], NOW, id="signed with a foreign key"),
        pytest.param(SIGNED, "ai/other", [KEY], NOW, id="signed for another hub"),
        pytest.param(SIGNED, HUB, [KEY], NOW + 61, id="older than a minute"),
        pytest.param(SIGNED, HUB, [KEY], NOW - 61, id="from the future"),
        pytest.param(SIGNED[:-4], HUB, [KEY], NOW, id="truncated"),
        pytest.param("", HUB, [KEY], NOW, id="empty"),
        pytest.param("a" * 9000, HUB, [KEY], NOW, id="too long"),
        pytest.param(
            urlsafe_b64encode(b"\0" * 32 + b'{"client":"x"}').decode(),
            HUB,
            [KEY],
            NOW,
            id="unsigned",
        ),
    ],
)
def test_what_no_replica_wrote_just_now_is_no_ticket(text, hub, keys, now):
    assert find_forward_token(text, hub, keys, now) is None


@given(st.text(max_size=400))
def test_no_text_makes_the_parser_fail(text):
    assert find_forward_token(text, HUB, [KEY], NOW) is None
