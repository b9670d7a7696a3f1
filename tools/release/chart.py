"""Generates the parts of the Helm chart that other files of the repository define.

The definition, the permissions and the monitors are copies of crds/ and config/; the
table in the chart's README comes from its schema and its default values. `make crd`
runs this.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.project import ROOT

CHART = ROOT / "charts" / "mcphub"
COPIES = {
    "crd.yaml": "crds/mcphubs.yaml",
    "hubs_role.yaml": "config/rbac/hubs/role.yaml",
    "users_roles.yaml": "config/rbac/users/roles.yaml",
    "operator_monitor.yaml": "config/monitoring/operator.yaml",
    "hubs_monitor.yaml": "config/monitoring/hubs.yaml",
    "alerts.yaml": "config/monitoring/alerts.yaml",
}
OPERATORS_DEFAULT = "the operator's"

Row = tuple[str, str, str]


def list_values(
    schema: Mapping[str, Any], defaults: Mapping[str, Any], prefix: str = ""
) -> Iterator[Row]:
    """Yield the path, the default and the description of each value."""
    for name, part in schema["properties"].items():
        path = f"{prefix}{name}"
        if "properties" in part and "description" not in part:
            yield from list_values(part, defaults.get(name, {}), f"{path}.")
        elif name in defaults:
            yield path, f"`{json.dumps(defaults[name])}`", part["description"]
        elif prefix:
            yield path, OPERATORS_DEFAULT, part["description"]


def build_table(schema: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Return the table of values in Markdown."""
    rows = (
        f"| `{path}` | {default.replace('|', '&#124;')} | {meaning} |"
        for path, default, meaning in list_values(schema, defaults)
    )
    return "\n".join(["| value | default | meaning |", "|---|---|---|", *rows])


def build_readme(chart: Path = CHART) -> str:
    """Return the chart's README."""
    schema = json.loads((chart / "values.schema.json").read_text())
    defaults = yaml.safe_load((chart / "values.yaml").read_text())
    text = (chart / "README.md.in").read_text()
    return text.replace("{values}", build_table(schema, defaults))


def generate() -> dict[Path, str]:
    """Return the text of each generated file of the chart."""
    copies = {
        CHART / "files" / name: (ROOT / source).read_text()
        for name, source in COPIES.items()
    }
    return {**copies, CHART / "README.md": build_readme()}


def main() -> int:
    """Write the generated files."""
    for path, text in generate().items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
