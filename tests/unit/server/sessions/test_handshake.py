import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcphub_server.sessions.handshake import (
    build_initialize,
    lacks_handshake,
    pack_capabilities,
    parse_initialize,
    unpack_capabilities,
)
from mcphub_server.sessions.tokens.session_id import Capability
from mcphub_server.web.jsonrpc import parse_message

MODERN = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}


def message(method, **params):
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return json.dumps(request).encode()


@pytest.mark.parametrize(
    ("capabilities", "flags"),
    [
        pytest.param({}, Capability.NONE, id="none"),
        pytest.param({"roots": {}}, Capability.ROOTS, id="roots"),
        pytest.param(
            {"roots": {"listChanged": True}},
            Capability.ROOTS | Capability.ROOTS_LIST_CHANGED,
            id="roots that change",
        ),
        pytest.param(
            {"elicitation": {"form": {}, "url": {}}, "sampling": {"tools": {}}},
            Capability.ELICITATION
            | Capability.ELICITATION_FORM
            | Capability.ELICITATION_URL
            | Capability.SAMPLING
            | Capability.SAMPLING_TOOLS,
            id="members of members",
        ),
    ],
)
def test_capabilities_survive_the_id(capabilities, flags):
    assert pack_capabilities(capabilities) == flags
    assert unpack_capabilities(flags) == capabilities


@pytest.mark.parametrize(
    ("requested", "negotiated"),
    [
        pytest.param("2025-06-18", "2025-06-18", id="a revision that both know"),
        pytest.param("1999-01-01", "2025-11-25", id="the latest for any other"),
    ],
)
def test_the_negotiated_revision_is_foreseen(requested, negotiated):
    opening = message("initialize", protocolVersion=requested, capabilities={})

    assert parse_initialize(parse_message(opening))[0] == negotiated


def test_an_adoption_begins_with_what_the_first_owner_agreed_on():
    opening = build_initialize("2025-06-18", Capability.ROOTS)

    assert parse_initialize(parse_message(opening)) == ("2025-06-18", Capability.ROOTS)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(message("tools/call", name="x"), True, id="a call"),
        pytest.param(message("tools/list"), True, id="a listing"),
        pytest.param(message("initialize"), False, id="a handshake"),
        pytest.param(message("server/discover"), False, id="a modern discovery"),
        pytest.param(message("tools/list", **MODERN), False, id="a modern request"),
        pytest.param(b"not a message", False, id="no message"),
        pytest.param(b"[]", False, id="a batch"),
    ],
)
def test_a_stream_lacks_its_handshake_when_it_begins_with(body, expected):
    assert lacks_handshake(body) is expected


@given(st.binary(max_size=200))
def test_no_body_makes_the_parser_fail(body):
    assert parse_initialize(parse_message(body))[1] == Capability.NONE
    assert lacks_handshake(body) is False
