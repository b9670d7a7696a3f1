"""Numbers as JSON that every reader takes for the same number.

A JSON number has no size, its readers have: most hold it in 64-bit floating point.
So a decimal is a JSON number while 15 significant digits hold it, which every
double returns unharmed, and else a string with all of its digits. Integers of up to
64 bits stay numbers, for they are keys that models copy; longer ones are strings.
NaN and infinity, which JSON lacks, are strings in PostgreSQL's spelling.
"""

import math
from decimal import Decimal

SAFE_DIGITS = 15
_LONGEST_INTEGER = 20  # characters
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**64 - 1
_SPECIAL = {
    "nan": "NaN",
    "inf": "Infinity",
    "infinity": "Infinity",
    "+infinity": "Infinity",
    "-inf": "-Infinity",
    "-infinity": "-Infinity",
}


def convert_integer(value: int) -> int | str:
    """Return an integer of up to 64 bits as it is, a longer one as its digits."""
    return value if _MIN_INTEGER <= value <= _MAX_INTEGER else _spell_integer(value)


def _spell_integer(value: int) -> str:
    # str() refuses over 4,300 digits, for its time is quadratic; hexadecimal is not.
    try:
        return str(value)
    except ValueError:
        return hex(value)


def convert_float(value: float) -> float | str:
    """Return a finite float as it is, another by its name."""
    if math.isfinite(value):
        return value
    return _SPECIAL[str(value)]


def convert_numeric(text: str) -> int | float | str:
    """Return a decimal number's text as a JSON number where that is exact."""
    special = _SPECIAL.get(text.lower())
    if special is not None:
        return special
    if len(text) <= SAFE_DIGITS + 1:
        return _parse_short(text)
    if text.lstrip("-").isdecimal():
        return text if len(text) > _LONGEST_INTEGER else convert_integer(int(text))
    return text if _count_digits(text) > SAFE_DIGITS else _parse_short(text)


def _parse_short(text: str) -> int | float | str:
    if text.lstrip("-").isdecimal():
        return int(text)
    number = float(text)
    if not math.isfinite(number) or (number == 0 and text.strip("-0.eE+") != ""):
        return text  # beyond what a double reaches
    return number


def _count_digits(text: str) -> int:
    mantissa = text.lower().partition("e")[0].lstrip("-+")
    return len(mantissa.replace(".", "").strip("0"))


def convert_decimal(value: Decimal) -> int | float | str:
    """Return a Decimal by the same rule as its text."""
    if not value.is_finite():
        return _SPECIAL.get(str(value).lower(), "NaN")
    return convert_numeric(str(value))
