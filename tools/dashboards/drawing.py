"""Draws a dashboard as SVG from what its queries returned, for the documentation.

It is no picture of Grafana: places, titles, units and queries are the dashboard's,
lines and colours are this program's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

CELL, LINE, GAP, HEAD = 45, 26, 8, 56
COLORS = (
    "#3274d9", "#56a64b", "#e0832e", "#c4162a", "#8f3bb8", "#1f9e8f", "#b5911c",
    "#5c6773",
)  # fmt: skip
LEGENDS = 4
"""Names below a panel; there is no room for more."""

PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
UNITS = {"reqps": "/s", "Bps": "B/s", "bytes": "B", "s": "s"}

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its name, and its values in order of time; NaN where it has none."""

    name: str
    values: Sequence[float]


Results = Mapping[int, Sequence[Series]]
"""The lines of each panel, by its id."""


def draw(dashboard: Json, results: Results, note: str) -> str:
    """Return the dashboard as SVG.

    Args:
        dashboard: As Grafana imports it.
        results: What its queries returned.
        note: A sentence below the title that says where they come from.
    """
    panels = dashboard["panels"]
    bottom = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in panels)
    width, height = 24 * CELL + GAP, HEAD + bottom * LINE + GAP
    style = 'font-family="sans-serif" font-size="11" fill="#24292e"'
    box = f'viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} {style}>',
        f'<rect width="{width}" height="{height}" fill="#f4f5f5"/>',
        f'<text x="{GAP}" y="24" font-size="18">{escape(dashboard["title"])}</text>',
        f'<text x="{GAP}" y="44" fill="#5c6773">{escape(note)}</text>',
    ]
    for panel in panels:
        parts += _draw_panel(panel, results.get(panel["id"], ()))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _draw_panel(panel: Json, lines: Sequence[Series]) -> Iterator[str]:
    place = panel["gridPos"]
    x, y = GAP + place["x"] * CELL, HEAD + place["y"] * LINE
    width, height = place["w"] * CELL - GAP, place["h"] * LINE - GAP
    unit = panel["fieldConfig"]["defaults"]["unit"]
    yield f'<g transform="translate({x},{y})">'
    yield f'<rect width="{width}" height="{height}" rx="3" fill="#fff"/>'
    yield f'<text x="8" y="17" font-weight="bold">{escape(panel["title"])}</text>'
    if panel["type"] == "stat":
        known = [v for line in lines for v in line.values[-1:] if not math.isnan(v)]
        text = format_value(known[0], unit) if known else "no data"
        yield f'<text x="8" y="{height - 20}" font-size="30">{escape(text)}</text>'
    else:
        yield from _draw_lines(lines, unit, width, height)
    yield "</g>"


def _draw_lines(
    lines: Sequence[Series], unit: str, width: int, height: int
) -> Iterator[str]:
    top = find_top(value for line in lines for value in line.values)
    left, right, upper, lower = 58, width - 10, 30, height - 20 - 14 * LEGENDS
    for share in (0, 0.5, 1):
        y = lower - share * (lower - upper)
        yield f'<path d="M{left} {y:.0f}H{right}" stroke="#e4e7e7"/>'
        label = escape(format_value(share * top, unit))
        yield f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{label}</text>'
    for index, line in enumerate(lines):
        color = COLORS[index % len(COLORS)]
        points = find_points(line.values, (left, right), (lower, upper), top)
        yield f'<path d="{points}" fill="none" stroke="{color}" stroke-width="1.5"/>'
        if index < LEGENDS:
            y = lower + 20 + 14 * index
            yield f'<path d="M{left} {y - 4}h14" stroke="{color}" stroke-width="3"/>'
            yield f'<text x="{left + 20}" y="{y}">{escape(line.name[:48])}</text>'


def find_points(
    values: Sequence[float],
    across: tuple[int, int],
    along: tuple[int, int],
    top: float,
) -> str:
    """Return the path of a line; it is broken where there is no value."""
    (left, right), (lower, upper) = across, along
    path, is_open = "", False
    for index, value in enumerate(values):
        if math.isnan(value):
            is_open = False
            continue
        x = left + (right - left) * index / max(1, len(values) - 1)
        y = lower - (lower - upper) * min(1.0, value / top)
        path += f"{'L' if is_open else 'M'}{x:.0f} {y:.1f}"
        is_open = True
    return path


def find_top(values: Iterator[float]) -> float:
    """Return the upper end of an axis: 1, 2 or 5 times a power of ten."""
    most = max((v for v in values if math.isfinite(v)), default=0.0)
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= most)


def format_value(value: float, unit: str) -> str:
    """Return a value as people read it."""
    if unit == "percentunit":
        return f"{value:.0%}"
    if unit == "s" and 0 < value < 1:
        return f"{value * 1000:.3g} ms"
    size, prefix = next(((s, p) for s, p in PREFIXES if value >= s), (1.0, ""))
    text = f"{value / size:.3g}{' ' if prefix or unit in UNITS else ''}"
    return f"{text}{prefix}{UNITS.get(unit, '')}".strip()
