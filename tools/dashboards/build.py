"""Builders of Grafana's JSON: a dashboard of rows, a row of panels.

`grafana-foundation-sdk` would type all of Grafana; these dashboards use a dozen of its
words, which a reader of the JSON should recognise here. Its versions begin with a date,
so that of those the newest is for the oldest Grafana: no update tool gets that right.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA = 41
WIDTH = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """An expression, and what its series are called."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        title: What it shows.
        queries: Where from.
        unit: Grafana's word for the unit.
        kind: `timeseries` or `stat`.
        description: What to do with it; the alert that looks at the same.
        steps: From which value on it is orange, and red.
        maximum: Of the axis.
    """

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: str = "timeseries"
    description: str = ""
    steps: tuple[float, ...] = ()
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Panels side by side, of equal width."""

    panels: tuple[Panel, ...]
    height: int = 8


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page of panels.

    Attributes:
        variables: The label that each variable chooses, by the series that has it.
    """

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: Mapping[str, str]


def ask(title: str, expression: str, legend: str = "", **options: Any) -> Panel:
    """Return a panel with one expression."""
    return Panel(title, (Query(expression, legend),), **options)


def stat(title: str, expression: str, **options: Any) -> Panel:
    """Return a panel that shows one number."""
    return Panel(title, (Query(expression),), kind="stat", **options)


def render(dashboard: Dashboard) -> str:
    """Return the dashboard as Grafana imports it."""
    built = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["mcphub"],
        "schemaVersion": SCHEMA,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [*_build_variables(dashboard.variables)]},
        "links": [_build_links()],
        "panels": [*_place(dashboard.rows)],
    }
    return json.dumps(built, indent=2, ensure_ascii=False) + "\n"


def _build_variables(variables: Mapping[str, str]) -> Iterator[Json]:
    yield {"name": "datasource", "type": "datasource", "query": "prometheus"}
    chosen: list[str] = []
    for label, series in variables.items():
        matchers = ",".join(f'{name}=~"${name}"' for name in chosen)
        query = f"label_values({series}{{{matchers}}}, {label})"
        yield {
            "name": label,
            "label": label,
            "type": "query",
            "datasource": DATASOURCE,
            "query": {"query": query, "refId": label},
            "definition": query,
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".+",  # not what has no such label
            "current": {"text": "All", "value": "$__all"},
        }
        chosen.append(label)


def _build_links() -> Json:
    return {
        "type": "dashboards",
        "title": "mcphub",
        "tags": ["mcphub"],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
    }


def _place(rows: Sequence[Row]) -> Iterator[Json]:
    y, number = 0, 0
    for row in rows:
        width = WIDTH // len(row.panels)
        for index, panel in enumerate(row.panels):
            number += 1
            place = {"x": index * width, "y": y, "w": width, "h": row.height}
            yield {"id": number, "gridPos": place, **_build_panel(panel)}
        y += row.height


def _build_panel(panel: Panel) -> Json:
    defaults: Json = {"unit": panel.unit, "min": 0}
    if panel.maximum is not None:
        defaults["max"] = panel.maximum
    if panel.steps:
        defaults["thresholds"] = _build_thresholds(panel.steps)
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _build_options(panel.kind),
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": DATASOURCE,
                "expr": query.expression,
                "legendFormat": query.legend or "__auto",
                "exemplar": "_bucket" in query.expression,
            }
            for index, query in enumerate(panel.queries)
        ],
    }


def _build_thresholds(steps: Sequence[float]) -> Json:
    colors = ("orange", "red")
    later = [
        {"color": color, "value": value}
        for color, value in zip(colors, steps, strict=False)
    ]
    return {"mode": "absolute", "steps": [{"color": "green", "value": None}, *later]}


def _build_options(kind: str) -> Json:
    if kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value"}
    return {
        "legend": {"displayMode": "list", "placement": "bottom"},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
