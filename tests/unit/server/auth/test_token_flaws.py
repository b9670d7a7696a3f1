import pytest

from mcphub_server.auth.token_flaws import (
    SHORTEST_TOKEN,
    clean_token,
    find_flaw,
    find_flaws,
)

GOOD = b"q7Jx0vTnRk29sLwZ"


@pytest.mark.parametrize(
    ("token", "flaw"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(GOOD[:-1], "is shorter than 16", id="a character too short"),
        pytest.param(b"change-me", "is a placeholder", id="change-me"),
        pytest.param(b"CHANGE_ME-please-123456", "is a placeholder", id="in capitals"),
        pytest.param(b"<your-secret-token-here>", "is a placeholder", id="in brackets"),
        pytest.param(b"replace-with-a-random-string", "is a placeholder", id="replace"),
        pytest.param(b"xxxxxxxxxxxxxxxxxxxxxxxx", "is a placeholder", id="crosses"),
        pytest.param(b"1234567890123456", "is a placeholder", id="only digits"),
        pytest.param(b"ababababababababab", "different characters", id="two letters"),
        pytest.param(b"q7Jx0vTn Rk29sLwZ", "a header cannot carry", id="a space"),
        pytest.param("q7Jx0vTnRk29sLwé".encode(), "cannot carry", id="not ASCII"),
        pytest.param(b"q7Jx0vTn\nRk29sLwZ", "cannot carry", id="two lines"),
        pytest.param(b"\xff\xfeq\x007\x00J\x00", "cannot carry", id="UTF-16"),
    ],
)
def test_what_is_no_token_is_refused_by_name(token, flaw):
    found = find_flaw(token)

    assert flaw in found
    assert not token or token.decode("latin-1") not in found


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(GOOD, id="as long as it must be"),
        pytest.param(b"0f3a9c4e5b7d1286", id="hexadecimal"),
        pytest.param(b"8Zl0yOq1Xh2Vd3Jw9Tn5Rk7sLwZ4mC6aB8eF1gH0iJ=", id="openssl"),
        pytest.param(b"b4a7e3f2-91c8-4d56-8a0b-2f7e6c5d1a93", id="a UUID"),
        pytest.param(b"correct-horse-battery-staple", id="four words"),
    ],
)
def test_a_token_is_taken(token):
    assert len(token) >= SHORTEST_TOKEN
    assert find_flaw(token) == ""


def test_a_token_of_two_clients_is_no_clients():
    flaws = find_flaws({"ann": GOOD, "bob": GOOD, "eve": GOOD[::-1]})

    assert set(flaws) == {"ann", "bob"}


def test_marks_of_editors_are_no_part_of_a_token():
    assert clean_token(b"\xef\xbb\xbf" + GOOD + b"\r\n") == GOOD
