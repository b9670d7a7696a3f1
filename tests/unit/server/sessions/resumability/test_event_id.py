import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcphub_server.sessions.resumability.event_id import (
    LIFETIME_SECONDS,
    LONGEST_BODY,
    LONGEST_ID,
    EventId,
    find_event_id,
    pack_request,
    sign_event_id,
    unpack_request,
)
from mcphub_server.sessions.tokens.session_id import digest

KEY, HUB, NOW = b"a key", "ai/team-data", 1_800_000_000
BODY = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"where"}}'

EVENT_ID = EventId(
    owner_address="10.42.1.7",
    owner_uid=digest("3f0c"),
    key=b"k" * 16,
    request=1,
    principal=digest("ann"),
    issued_at=NOW,
    headers=((b"mcp-protocol-version", b"2025-11-25"),),
    body=pack_request(BODY),
)
SIGNED = sign_event_id(EVENT_ID, HUB, KEY)


def test_an_event_id_carries_the_request_itself():
    found = find_event_id(SIGNED, HUB, [KEY], NOW)

    assert found == EVENT_ID
    assert unpack_request(found.body) == BODY


@given(st.binary(max_size=4000))
def test_the_largest_request_that_is_carried_fits_into_a_header(body):
    event_id = msgspec.structs.replace(EVENT_ID, body=pack_request(body))

    assert len(sign_event_id(event_id, HUB, KEY)) <= LONGEST_ID


def test_a_request_that_is_too_large_is_left_out():
    noise = b"".join(digest(str(number)) for number in range(400))

    assert pack_request(noise) == b""


@pytest.mark.parametrize(
    ("text", "hub", "key", "now"),
    [
        pytest.param(SIGNED, HUB, b"other", NOW, id="signed with a foreign key"),
        pytest.param(SIGNED, "ai/other", KEY, NOW, id="signed for another hub"),
        pytest.param(SIGNED, HUB, KEY, NOW + LIFETIME_SECONDS + 1, id="too old"),
        pytest.param(SIGNED[:-4], HUB, KEY, NOW, id="truncated"),
        pytest.param("_GET_stream_1", HUB, KEY, NOW, id="of another server"),
        pytest.param("A" * (LONGEST_ID + 4), HUB, KEY, NOW, id="too long"),
    ],
)
def test_what_this_hub_did_not_write_lately_is_no_event(text, hub, key, now):
    assert find_event_id(text, hub, [key], now) is None


@given(st.text(max_size=300))
def test_no_text_makes_the_parser_fail(text):
    assert find_event_id(text, HUB, [KEY], NOW) is None


def test_a_long_request_is_not_even_compressed():
    assert pack_request(b" " * (LONGEST_BODY + 1)) == b""
