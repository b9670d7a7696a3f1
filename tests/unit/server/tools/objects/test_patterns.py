"""A pattern means the same to Python and to ILIKE, and costs little."""

import pytest

from mcphub_server.errors import BadArgument
from mcphub_server.tools.objects.patterns import (
    LONGEST_PATTERN,
    MOST_STARS,
    parse_pattern,
)
from tests.support.effort import at_most


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        pytest.param("order", "Orders", True, id="a part in another case"),
        pytest.param("order", "customers", False, id="no part"),
        pytest.param("ORDER", "orders", True, id="a pattern in capitals"),
        pytest.param("*_id", "customer_id", True, id="an end"),
        pytest.param("*_id", "id_of", False, id="an end elsewhere"),
        pytest.param("order?", "orders", True, id="one letter"),
        pytest.param("order?", "order", False, id="one letter that is missing"),
        pytest.param("a_b", "axb", False, id="an underscore is no wildcard"),
        pytest.param("100%", "100 x", False, id="a percent sign is no wildcard"),
        pytest.param("*[ab]", "x[ab]", True, id="brackets are letters"),
        pytest.param("*[ab]", "xa", False, id="brackets are no set"),
        pytest.param("größe", "GRÖSSE", True, id="letters that fold to two"),
        pytest.param("*", "anything", True, id="everything"),
    ],
)
def test_a_name_matches(text: str, name: str, expected: bool) -> None:  # noqa: FBT001
    assert parse_pattern(text).matches(name) is expected


def test_a_pattern_with_a_dot_finds_a_name_behind_its_container() -> None:
    assert parse_pattern("sales.ord").matches("orders", "sales")
    assert parse_pattern("sales.*").matches("orders", "sales")
    assert not parse_pattern("sales.*").matches("orders", "public")
    assert not parse_pattern("sales").matches("orders", "sales")


@pytest.mark.parametrize(
    ("text", "like"),
    [
        pytest.param("order", "%order%", id="a part"),
        pytest.param("a_b%", "%a\\_b\\%%", id="wildcards of LIKE"),
        pytest.param("c:\\d", "%c:\\\\d%", id="a backslash"),
        pytest.param("*_id", "%\\_id", id="a glob"),
        pytest.param("o?d**", "o_d%", id="stars in a row"),
    ],
)
def test_a_pattern_becomes_one_of_ilike(text: str, like: str) -> None:
    assert parse_pattern(text).like == like


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(" ", id="blanks"),
        pytest.param("a\0b", id="a NUL"),
        pytest.param("a\nb", id="a line break"),
        pytest.param("\ud800", id="half a character"),
        pytest.param("x" * (LONGEST_PATTERN + 1), id="too long"),
        pytest.param("a*" * (MOST_STARS + 1), id="too many stars"),
    ],
)
def test_a_pattern_that_is_none_is_refused_with_a_way_out(text: str) -> None:
    with pytest.raises(BadArgument, match="pattern takes"):
        parse_pattern(text)


def test_no_pattern_is_slow_to_match() -> None:
    pattern = parse_pattern("*a" * MOST_STARS + "b")
    name = "a" * 255

    with at_most(20):
        assert not pattern.matches(name)
