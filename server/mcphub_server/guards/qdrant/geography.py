"""Places in a filter: on the globe, and in the shape that Qdrant takes."""

from typing import Any

from mcphub_server.errors import Rejected
from mcphub_server.guards.qdrant.numbers import is_finite


def _refuse(problem: str) -> Rejected:
    return Rejected(
        "qdrant/filter-geo",
        problem,
        'Write points as {"lat": 48.1, "lon": 11.6} and a radius in metres.',
    )


def check_point(node: Any) -> None:
    """Refuse what is no point on the globe."""
    if not isinstance(node, dict) or set(node) != {"lat", "lon"}:
        raise _refuse("A point has lat and lon.")
    if not _is_within(node["lat"], 90) or not _is_within(node["lon"], 180):
        raise _refuse("lat goes from -90 to 90 and lon from -180 to 180.")


def _is_within(value: Any, bound: float) -> bool:
    return is_finite(value) and -bound <= value <= bound


def check_radius(node: Any) -> None:
    """Refuse what is no circle."""
    if not isinstance(node, dict) or set(node) != {"center", "radius"}:
        raise _refuse("geo_radius takes center and radius.")
    check_point(node["center"])
    if not _is_within(node["radius"], 4e7) or node["radius"] <= 0:
        raise _refuse("radius is a number of metres above 0.")


def check_bounding_box(node: Any) -> None:
    """Refuse what is no box."""
    if not isinstance(node, dict) or set(node) != {"top_left", "bottom_right"}:
        raise _refuse("geo_bounding_box takes top_left and bottom_right.")
    check_point(node["top_left"])
    check_point(node["bottom_right"])


def check_polygon(node: Any) -> None:
    """Refuse what is no polygon."""
    if (
        not isinstance(node, dict)
        or not {"exterior"} <= set(node) <= {"exterior", "interiors"}
        or not isinstance(node.get("interiors") or [], list)
    ):
        raise _refuse("geo_polygon takes exterior and interiors.")
    for line in (node["exterior"], *(node.get("interiors") or [])):
        if not isinstance(line, dict) or not isinstance(line.get("points"), list):
            raise _refuse('A line is {"points": [point, …]}.')
        for point in line["points"]:
            check_point(point)
        if len(line["points"]) < 4 or line["points"][0] != line["points"][-1]:  # noqa: PLR2004
            raise _refuse("A line has 4 points or more and ends where it begins.")
