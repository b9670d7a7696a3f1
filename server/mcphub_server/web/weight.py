"""How much work it is to read a JSON message, told from its bytes.

The SDK builds an object for each value of a message before any layer of the hub sees
one: 600,000 empty lists, 2 MB, take it a second of the event loop. Counting signs takes
some 4 ms a megabyte at most, whatever they are.
"""

SECONDS_PER_UNIT = 2e-7
"""Measured: 0.15 µs for a number, up to three times that for a list, an object or a
key."""

MOST_UNITS = 200_000
"""Some 35 ms. The largest query vector is a sparse one, of twice 65,536 numbers."""

DIGITS = 100
UNITS_PER_DIGITS = 100
"""For so many digits in a row: Python reads and writes long integers in quadratic time.
Those of 4,200 digits, 3 MB, took it 0.4 s."""

_RUN = b"0" * DIGITS
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_SIGNS = {b",": 1, b"[": 3, b"{": 3, b":": 3}
_OTHERS = bytes(each for each in range(256) if bytes([each]) not in _SIGNS)


def weigh(message: bytes) -> int:
    """Return the units of a JSON message; more than `MOST_UNITS` if it has too many.

    Signs within its texts count too, as long as that makes no message too heavy.
    """
    units = _count_all(message)
    if units <= MOST_UNITS:
        return units
    plain = message.replace(b"\\\\", b"").replace(b'\\"', b"")
    texts = plain.count(b'"') // 2
    if not 0 < texts <= MOST_UNITS:
        return max(units, texts)
    outside = b"".join(plain.split(b'"')[::2])
    return max(MOST_UNITS, _count_all(outside))


def _count_all(message: bytes) -> int:
    units = _count(message)
    return units if units > MOST_UNITS else units + _count_digits(message)


def _count(message: bytes) -> int:
    signs = message.translate(None, _OTHERS)
    if len(signs) > MOST_UNITS:
        return len(signs)
    return sum(units * signs.count(sign) for sign, units in _SIGNS.items())


def _count_digits(message: bytes) -> int:
    """Count no further than it takes to be too many."""
    parts = message.translate(_DIGITS).split(_RUN, MOST_UNITS // UNITS_PER_DIGITS + 1)
    return UNITS_PER_DIGITS * (len(parts) - 1)
