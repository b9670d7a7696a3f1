"""A claim of the caller that a database keeps rows apart by.

A claim that cannot be used refuses the call; it never falls back to fewer conditions.
Pure.
"""

from mcphub_server.errors import Forbidden
from mcphub_server.web.claims import Claims, Scalar, write_scalar

LONGEST_VALUE_BYTES = 256


def read_claim(claims: Claims, name: str) -> Scalar:
    """Return a claim's value: text, a number or a boolean.

    Raises:
        Forbidden: It is missing, is a list, or is text that is empty, longer than 256
            bytes of UTF-8, or holds a NUL.
    """
    value = claims.find(name)
    if value is None:
        raise Forbidden(f"claim {name} is missing")
    if isinstance(value, list):
        raise Forbidden(f"claim {name} is a list")
    text = write_scalar(value)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise Forbidden(f"claim {name} is no Unicode text") from None
    if "\0" in text or not 0 < size <= LONGEST_VALUE_BYTES:
        raise Forbidden(
            f"claim {name} is empty, longer than {LONGEST_VALUE_BYTES} bytes or holds"
            " a NUL"
        )
    return value
