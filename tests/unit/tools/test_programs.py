"""Programs that the project pins: each in a folder of its own."""

import re

import pytest

from tools.cluster.errors import BadInput
from tools.programs.build import program_path, read_source
from tools.programs.install import HERE, environment_path, find_requirements

PYTHON_PROGRAMS = sorted(path.parent.name for path in HERE.glob("*/requirements.txt"))


@pytest.mark.parametrize("name", PYTHON_PROGRAMS)
def test_all_that_a_python_program_needs_is_pinned(name: str) -> None:
    lines = find_requirements(name).read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]

    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []
    assert [pin for pin in pins if pin.startswith(f"{name}==")]


def test_a_program_of_published_parts_has_their_version() -> None:
    source = read_source("otelcol")

    assert source.package == "mcphub.test/programs/otelcol"
    assert f"go.opentelemetry.io/collector/otelcol {source.version}" in (
        source.module_text
    )
    assert program_path(source).name == "otelcol"


def test_an_environment_is_named_by_its_pins() -> None:
    assert environment_path("checkov").parent.name == "checkov"


@pytest.mark.parametrize("find", [find_requirements, read_source])
def test_an_unknown_program_is_refused_with_those_that_are_known(find) -> None:
    with pytest.raises(BadInput, match="no program 'nothing' is pinned here; there"):
        find("nothing")


def test_a_program_in_the_module_s_folder_cmd_has_the_module_s_name() -> None:
    source = read_source("kube-network-policies")

    assert source.version == "v0.8.0"
    assert program_path(source).name == "kube-network-policies"
