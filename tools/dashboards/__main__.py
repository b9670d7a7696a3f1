"""Write the dashboards to their places; `make crd` runs this."""

from __future__ import annotations

from pathlib import Path

from tools.dashboards.build import render
from tools.dashboards.hub import build_hub
from tools.dashboards.hubs import build_hubs
from tools.dashboards.operator import build_operator
from tools.project import ROOT

CONFIG = ROOT / "config" / "monitoring" / "dashboards"
CHART = ROOT / "charts" / "mcphub" / "files" / "dashboards"
COMPOSE = ROOT / "examples" / "compose" / "grafana" / "dashboards"


def generate() -> dict[Path, str]:
    """Return the text of each file; Docker Compose has no operator."""
    hubs = {"hubs.json": render(build_hubs()), "hub.json": render(build_hub())}
    everything = {**hubs, "operator.json": render(build_operator())}
    return {
        **{CONFIG / name: text for name, text in everything.items()},
        **{CHART / name: text for name, text in everything.items()},
        **{COMPOSE / name: text for name, text in hubs.items()},
    }


def main() -> None:
    """Write the files."""
    for path, text in generate().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
