"""Vectors of texts without a model: words and parts of words, hashed.

A double, and a poor one: texts are near when they share words, not meaning. Models
that carry their weights in a package need torch, some 2 GB for one test of whether a
text becomes a vector; and the same text gives the same vector everywhere, which makes
expected hits plain.
"""

import math
from hashlib import blake2b

DIMENSIONS = 256
PART = 4


def embed(text: str) -> list[float]:
    """Return the text's vector, of length one."""
    vector = [0.0] * DIMENSIONS
    for word in text.lower().split():
        padded = f" {word} "
        for start in range(max(1, len(padded) - PART + 1)):
            add_part(vector, padded[start : start + PART])
    length = math.sqrt(sum(number * number for number in vector)) or 1.0
    return [number / length for number in vector]


def add_part(vector: list[float], part: str) -> None:
    """Add or subtract one at the place that a part of a word hashes to."""
    digest = int.from_bytes(blake2b(part.encode(), digest_size=8).digest())
    vector[digest % DIMENSIONS] += 1.0 if digest >> 63 else -1.0
