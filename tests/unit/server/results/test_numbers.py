"""Numbers keep every digit, for every reader of the JSON."""

from decimal import Decimal

import pytest

from mcphub_server.results.numbers import (
    convert_decimal,
    convert_float,
    convert_integer,
    convert_numeric,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("-7", -7),
        ("1.50", 1.5),
        ("0.00", 0.0),
        ("-0.1", -0.1),
        ("123456789012.345", 123456789012.345),
        ("9007199254740993", 9007199254740993),
        ("-9223372036854775808", -9223372036854775808),
        ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", "18446744073709551616"),
        ("100000000000000000000", "100000000000000000000"),
        ("0.1234567890123456", "0.1234567890123456"),
        ("12345678901234567890.5", "12345678901234567890.5"),
        ("1e400", "1e400"),
        ("1e-400", "1e-400"),
        ("1.0000000000000000000", 1.0),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
    ],
)
def test_a_decimal_is_a_number_where_a_double_holds_it(text, expected):
    converted = convert_numeric(text)

    assert converted == expected
    assert type(converted) is type(expected)


@pytest.mark.parametrize("text", ["0.1", "999999999999.999", "-1.25", "3e5"])
def test_a_decimal_that_became_a_number_prints_as_it_was(text):
    assert Decimal(repr(convert_numeric(text))) == Decimal(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.5, 1.5),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_a_float_without_json_is_named(value, expected):
    assert convert_float(value) == expected


def test_a_negative_zero_stays_negative():
    assert str(convert_float(-0.0)) == "-0.0"


def test_a_huge_integer_is_text():
    assert convert_integer(2**70) == str(2**70)
    assert str(convert_integer(10**6000)).startswith("0x")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("1.10"), 1.1),
        (Decimal("NaN"), "NaN"),
        (Decimal("sNaN"), "NaN"),
        (Decimal("-Infinity"), "-Infinity"),
        (Decimal("1E+30"), "1E+30"),
    ],
)
def test_a_decimal_object_follows_its_text(value, expected):
    converted = convert_decimal(value)

    if isinstance(expected, float):
        assert converted == expected
    else:
        assert str(converted) in {expected, "1e+30"}
