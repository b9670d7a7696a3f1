"""The chart's generated parts are those of config/, and its values are described."""

import json
from typing import Any

import pytest
import yaml

from tools.release.chart import CHART, generate, list_values
from tools.release.version import project_version

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())


@pytest.mark.parametrize(
    ("path", "text"),
    [pytest.param(p, t, id=str(p.relative_to(CHART))) for p, t in generate().items()],
)
def test_generated_files_are_up_to_date(path: Any, text: str) -> None:
    assert path.read_text() == text, "run `make crd`"


def test_every_value_has_a_default_that_the_schema_knows() -> None:
    def paths(part: dict[str, Any], prefix: str = "") -> set[str]:
        return {
            path
            for name, value in part.items()
            for path in (
                paths(value, f"{prefix}{name}.")
                if isinstance(value, dict) and f"{prefix}{name}" not in described
                else {f"{prefix}{name}"}
            )
        }

    described = {path for path, _, _ in list_values(SCHEMA, DEFAULTS)}

    assert paths(DEFAULTS) <= described


def test_the_chart_is_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert {chart["version"], chart["appVersion"]} == {project_version()}


def test_every_generated_file_is_used_by_a_template() -> None:
    templates = "".join(p.read_text() for p in (CHART / "templates").rglob("*.*"))

    unused = [
        p.name
        for p in (CHART / "files").iterdir()
        if f"files/{p.name}" not in templates
    ]

    assert unused == []
