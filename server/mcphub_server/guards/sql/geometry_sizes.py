"""Numbers by which PostGIS makes much of a small geometry, or compares at length.

GEOS looks at no clock in the middle of such a step: a circle of a hundred million
corners takes gigabytes and ends long after its timeout. What these numbers are for
needs no large ones. Geometries in tables can be large as well; this narrows the way,
the database server's own limits close it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mcphub_server.errors import Rejected

MAX_POINTS = 10_000
MAX_SEGMENTS = 1_000
MAX_HASH_LETTERS = 100
"""Twenty tell all places apart that PostGIS's numbers do."""
LEAST_FRACTION = 0.001

_QUAD_SEGS = re.compile(r"(?i)quad_segs\s*=\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Size:
    """An argument that decides on effort: where it stands, and its range."""

    position: int
    name: str
    least: float
    most: float


_SEGMENTS = Size(2, "quad_segs", 0, MAX_SEGMENTS)
_DENSITY = Size(2, "densifyfrac", LEAST_FRACTION, 1)
_SIZES: Mapping[str, Size] = {
    "st_buffer": _SEGMENTS,
    "st_generatepoints": Size(1, "npoints", 0, MAX_POINTS),
    "st_geohash": Size(1, "maxchars", 0, MAX_HASH_LETTERS),
    "st_lineinterpolatepoints": Size(1, "fraction", LEAST_FRACTION, 1),
    "st_minimumboundingcircle": Size(1, "segs_per_quarter", 0, MAX_SEGMENTS),
    "st_curvetoline": Size(1, "tol", LEAST_FRACTION, MAX_SEGMENTS),
    "st_hausdorffdistance": _DENSITY,
    "st_frechetdistance": _DENSITY,
    "st_offsetcurve": _SEGMENTS,
}
SIZED = frozenset(_SIZES)


def check_sizes(name: str, arguments: Any) -> None:
    """Refuse a size that is computed or out of its range."""
    size = _SIZES[name]
    for node in _find_arguments(size, arguments or ()):
        numbers = list(_read_numbers(node))
        if not all(size.least <= number <= size.most for number in numbers):
            raise Rejected(
                "sql/geometry-size",
                f"With this {size.name}, {name} may run so long that no timeout stops"
                " it.",
                f"Write {size.name} as a constant from {size.least:g} to"
                f" {size.most:g}, or leave it out.",
            )


def _find_arguments(size: Size, arguments: Any) -> Iterator[Any]:
    for position, node in enumerate(arguments):
        if type(node).__name__ == "NamedArgExpr":
            if node.name in {size.name, "options", "params"}:
                yield node.arg
        elif position == size.position:
            yield node


def _read_numbers(node: Any) -> Iterator[float]:
    """Yield the numbers of a constant; infinity for what has no number."""
    if type(node).__name__ == "TypeCast":
        node = node.arg
    value = getattr(node, "val", None)
    if type(node).__name__ != "A_Const" or value is None:
        yield float("inf")
        return
    text = getattr(value, "sval", None)
    if isinstance(text, str):
        yield from _read_options(text)
    else:
        yield float(getattr(value, "ival", None) or getattr(value, "fval", None) or 0)


def _read_options(text: str) -> Iterator[float]:
    try:
        yield float(text)
    except ValueError:
        yield from map(float, _QUAD_SEGS.findall(text))
