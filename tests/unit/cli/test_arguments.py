"""Words of the command line become arguments of the types that a tool takes."""

import pytest

from mcphub_cli.arguments import (
    check_address,
    check_duration,
    find_token_flaw,
    read_arguments,
)
from mcphub_cli.errors import UsageError

SCHEMA = {
    "properties": {
        "sql": {"type": "string"},
        "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "tags": {"type": "array"},
        "cursor": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "id": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    }
}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        pytest.param("sql=SELECT 1 = 1", "SELECT 1 = 1", id="text with an equals sign"),
        pytest.param("sql=5", "5", id="a number where the tool takes text"),
        pytest.param("limit=5", 5, id="a number"),
        pytest.param('tags=["a"]', ["a"], id="a list"),
        pytest.param("cursor=abc", "abc", id="text that may be left out"),
        pytest.param("id=7", 7, id="a number where text would do"),
        pytest.param("id=x7", "x7", id="text where a number would do"),
        pytest.param("other=5", "5", id="an argument that the tool does not know"),
    ],
)
def test_a_word_becomes_a_value(word, value):
    name = word.partition("=")[0]

    assert read_arguments([word], "").fit(SCHEMA) == {name: value}


def test_words_win_over_the_document():
    given = read_arguments(["limit=5"], '{"limit": 1, "sql": "x"}').fit(SCHEMA)

    assert given == {"limit": 5, "sql": "x"}


@pytest.mark.parametrize(
    ("words", "document", "sentence"),
    [
        (["limit"], "", "write name=value"),
        (["=5"], "", "write name=value"),
        (["limit=many"], "", "limit takes integer or null"),
        (["sql=SELECT 1", "sql=SELECT 2"], "", "sql is given twice"),
        ([], "{", "no JSON"),
        ([], "[1]", "no JSON object"),
    ],
)
def test_what_cannot_be_read_is_refused(words, document, sentence):
    with pytest.raises(UsageError, match=sentence):
        read_arguments(words, document).fit(SCHEMA)


@pytest.mark.parametrize("text", ["10m", "2h", "1h30m", "0.5h", "90s", "500ms"])
def test_a_duration_is_what_kubectl_takes(text):
    check_duration("--since", text)


@pytest.mark.parametrize("text", ["banana", "10", "-5m", "1d", "", "2h later"])
def test_another_text_is_no_duration(text):
    with pytest.raises(UsageError, match="--since takes a duration, such as 10m"):
        check_duration("--since", text)


@pytest.mark.parametrize(
    "token", ["a\nb", "a\r\nb", "two words", "tab\there", "Käse", "a\x00b", "a\u2028b"]
)
def test_a_token_that_no_header_carries_is_told(token):
    assert "a line break" in find_token_flaw(token)


def test_any_other_token_is_well():
    assert find_token_flaw("!~$`\"'abc+/=") == ""


@pytest.mark.parametrize(
    "url", ["ftp://x", "x:8000", "http://", "http://[x", "http://x y", "http://x\n", ""]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UsageError, match="not an http or https address"):
        check_address(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "https://hub.example.com/a"])
def test_an_address_is_taken(url):
    check_address(url)
