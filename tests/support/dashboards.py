"""The expressions of dashboards, as Grafana sends them to Prometheus."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.project import ROOT

DASHBOARDS = ROOT / "config" / "monitoring" / "dashboards"
WINDOW = "1m"


@dataclass(frozen=True)
class PanelQuery:
    """An expression of a panel."""

    panel: str
    expression: str


def list_queries(path: Path) -> Iterator[PanelQuery]:
    """Yield the expressions of a dashboard, for all namespaces and hubs."""
    dashboard = json.loads(path.read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield PanelQuery(panel["title"], fill_in(target["expr"]))


def fill_in(expression: str, **variables: str) -> str:
    """Replace a dashboard's variables."""
    given = {"__rate_interval": WINDOW, "namespace": ".+", "hub": ".+", **variables}
    for name, value in given.items():
        expression = expression.replace(f"${name}", value)
    return expression
