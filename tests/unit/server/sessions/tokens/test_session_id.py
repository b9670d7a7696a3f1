import string
from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcphub_server.sessions.tokens.session_id import (
    Capability,
    SessionId,
    Transport,
    digest,
    find_session_id,
    sign_session_id,
)

KEY, OTHER_KEY = b"a key", b"another key"
HUB = "ai/team-data"
NOW = 1_800_000_000.0

SESSION = SessionId(
    transport=Transport.HTTP,
    owner_address=ip_address("10.42.1.7"),
    owner_uid=digest("3f0c"),
    revision="2025-11-25",
    capabilities=Capability.SAMPLING | Capability.ELICITATION,
    principal=digest("ann"),
    expires_at=int(NOW) + 60,
    sdk_session_id=bytes(range(16)),
)
SIGNED = sign_session_id(SESSION, HUB, KEY)

BASE64URL = string.ascii_letters + string.digits + "-_"


@pytest.mark.parametrize(
    "session",
    [
        pytest.param(SESSION, id="streamable HTTP over IPv4"),
        pytest.param(replace(SESSION, owner_address=ip_address("fd00::7")), id="IPv6"),
        pytest.param(
            replace(SESSION, transport=Transport.SSE, revision=""),
            id="SSE, whose revision is not known when the id is made",
        ),
    ],
)
def test_an_id_says_what_was_signed(session):
    text = sign_session_id(session, HUB, KEY)

    assert find_session_id(text, HUB, [KEY], NOW) == session


def test_an_id_fits_in_headers_and_queries():
    assert len(SIGNED) == 150
    assert set(SIGNED) <= set(BASE64URL)


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param([KEY, OTHER_KEY], id="signed with the current key"),
        pytest.param([OTHER_KEY, KEY], id="signed with the previous key"),
    ],
)
def test_both_keys_of_the_ring_are_believed(keys):
    assert find_session_id(SIGNED, HUB, keys, NOW) == SESSION


@pytest.mark.parametrize(
    ("text", "hub", "keys", "now"),
    [
        pytest.param(SIGNED, HUB, [OTHER_KEY], NOW, id="signed with a foreign key"),
        pytest.param(SIGNED, "ai/other", [KEY], NOW, id="signed for another hub"),
        pytest.param(SIGNED, HUB, [], NOW, id="no keys"),
        pytest.param(SIGNED, HUB, [KEY], NOW + 60, id="expired"),
        pytest.param(SIGNED[:-1], HUB, [KEY], NOW, id="truncated by one letter"),
        pytest.param(SIGNED[:60], HUB, [KEY], NOW, id="without its signature"),
        pytest.param(SIGNED + "A", HUB, [KEY], NOW, id="longer by one letter"),
        pytest.param(SIGNED + "=" * 4, HUB, [KEY], NOW, id="padded"),
        pytest.param("", HUB, [KEY], NOW, id="empty"),
        pytest.param("é" * 150, HUB, [KEY], NOW, id="not ASCII"),
        pytest.param("0" * 32, HUB, [KEY], NOW, id="the SDK's own id"),
    ],
)
def test_what_this_hub_did_not_sign_for_now_is_no_session(text, hub, keys, now):
    assert find_session_id(text, hub, keys, now) is None


@given(st.integers(0, 149), st.sampled_from(BASE64URL))
def test_no_letter_of_an_id_can_be_changed(place, letter):
    forged = SIGNED[:place] + letter + SIGNED[place + 1 :]

    found = find_session_id(forged, HUB, [KEY], NOW)

    assert (found is None) == (forged != SIGNED)


@given(st.text(max_size=200) | st.text(BASE64URL, min_size=150, max_size=150))
def test_no_text_makes_the_parser_fail(text):
    assert find_session_id(text, HUB, [KEY], NOW) is None
