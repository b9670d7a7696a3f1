"""Numbers that Qdrant can take: JSON knows larger ones than a float or its counts."""

import math
from typing import Any

MAX_COUNT = 2**64 - 1


def is_finite(value: Any) -> bool:
    """Tell whether a value is a number that fits a float; a boolean is not."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def is_count(value: Any) -> bool:
    """Tell whether a value is a whole number from 0 to what 64 bits hold."""
    return type(value) is int and 0 <= value <= MAX_COUNT
