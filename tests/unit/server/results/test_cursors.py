"""Cursors: any replica accepts them, but no forged and no changed one."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from string import ascii_lowercase, ascii_uppercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcphub_server.errors import BadArgument
from mcphub_server.results.cursors import CursorSigner, CursorState

KEY = b"k" * 32
ALPHABET = f"{ascii_uppercase}{ascii_lowercase}{digits}-_"
STATE = CursorState("postgres_query", "f1", 100, "ann")


def test_another_replica_with_the_same_key_takes_a_cursor():
    token = CursorSigner(KEY).sign(STATE)

    assert CursorSigner(KEY).verify(token, "postgres_query", "f1", "ann") == 100


@pytest.mark.parametrize(
    ("tool", "fingerprint", "principal"),
    [
        pytest.param("other_query", "f1", "ann", id="another tool"),
        pytest.param("postgres_query", "f2", "ann", id="another statement"),
        pytest.param("postgres_query", "f1", "bob", id="another client"),
        pytest.param("postgres_queryf", "1", "ann", id="parts shifted"),
        pytest.param("postgres_query", "f1a", "nn", id="parts shifted the other way"),
    ],
)
def test_a_cursor_is_bound_to_its_call(tool, fingerprint, principal):
    signer = CursorSigner(KEY)
    token = signer.sign(STATE)

    with pytest.raises(BadArgument, match="next_cursor"):
        signer.verify(token, tool, fingerprint, principal)


def test_another_key_refuses_a_cursor():
    token = CursorSigner(KEY).sign(STATE)

    with pytest.raises(BadArgument):
        CursorSigner(b"x" * 32).verify(token, "postgres_query", "f1", "ann")


def test_no_byte_of_a_cursor_can_be_changed():
    signer = CursorSigner(KEY)
    raw = bytearray(urlsafe_b64decode(signer.sign(STATE) + "=="))
    for index in range(len(raw)):
        changed = bytes(raw[:index]) + bytes([raw[index] ^ 1]) + bytes(raw[index + 1 :])
        token = urlsafe_b64encode(changed).rstrip(b"=").decode()

        with pytest.raises(BadArgument):
            signer.verify(token, "postgres_query", "f1", "ann")


def test_no_character_of_a_cursor_can_be_changed():
    """The last one has bits that stand for nothing, and decoders skip strangers."""
    signer = CursorSigner(KEY)
    token = signer.sign(STATE)
    last = ALPHABET.index(token[-1])
    others = [token[:-1] + ALPHABET[last ^ bit] for bit in (1, 2, 4, 8, 16, 32)]

    for other in (*others, token + "=", token + "==", token[:5] + "\n" + token[5:]):
        with pytest.raises(BadArgument):
            signer.verify(other, "postgres_query", "f1", "ann")


@given(st.text(max_size=60))
def test_noise_is_refused(token):
    with pytest.raises(BadArgument):
        CursorSigner(KEY).verify(token, "postgres_query", "f1", "ann")


def test_a_cursor_tells_nothing_of_statement_or_client():
    token = CursorSigner(KEY).sign(CursorState("t", "secret-print", 1, "secret-client"))

    assert b"secret" not in urlsafe_b64decode(token + "==")
    assert "k" * 8 not in repr(CursorSigner(KEY))
