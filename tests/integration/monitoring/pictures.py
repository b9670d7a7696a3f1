"""Draws the dashboards for the documentation: `make pictures`.

From what the dashboards' own queries return after a minute of calls; no Grafana.
"""

import asyncio
import json
import logging
import math
import tempfile
import time
from pathlib import Path
from typing import Any

import structlog

from tests.support.dashboards import DASHBOARDS, fill_in
from tests.support.monitored import Prometheus, monitored
from tests.support.postgres import running_postgres
from tools.dashboards.drawing import Series, draw

FOLDER = Path("docs/pictures")
SECONDS = 60
WINDOW = "10s"
NOTE = (
    "Drawn from what the queries returned after a minute of calls to hubs in one "
    "process; Grafana draws otherwise."
)


async def read_panel(
    prometheus: Prometheus, panel: dict[str, Any], end: int
) -> list[Series]:
    """Return the lines of a panel."""
    lines = []
    for target in panel["targets"]:
        data = await prometheus.ask(
            "query_range",
            query=fill_in(target["expr"], __rate_interval=WINDOW),
            start=str(end - SECONDS + 15),
            end=str(end),
            step="1",
        )
        for found in data["result"]:
            name = name_series(target["legendFormat"], found["metric"])
            values = {int(float(at)): float(value) for at, value in found["values"]}
            times = range(end - SECONDS + 15, end + 1)
            line = [values.get(at, math.nan) for at in times]
            lines.append(Series(name, line))
    return lines


def name_series(legend: str, labels: dict[str, str]) -> str:
    """Return what a line is called."""
    for label, value in labels.items():
        legend = legend.replace(f"{{{{{label}}}}}", value)
    return "" if legend == "__auto" else legend


async def draw_all() -> None:
    """Write a picture of each dashboard."""
    with tempfile.TemporaryDirectory() as folder, running_postgres() as shop:
        async with monitored(Path(folder), shop) as prometheus:
            await asyncio.sleep(SECONDS)  # what the pictures show
            end = int(time.time())
            for path in sorted(DASHBOARDS.glob("*.json")):
                dashboard = json.loads(path.read_text())
                results = {
                    panel["id"]: await read_panel(prometheus, panel, end)
                    for panel in dashboard["panels"]
                }
                picture = FOLDER / f"dashboard-{path.stem}.svg"
                picture.write_text(draw(dashboard, results, NOTE))


def main() -> None:
    """Write the pictures."""
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet)
    asyncio.run(draw_all())


if __name__ == "__main__":
    main()
