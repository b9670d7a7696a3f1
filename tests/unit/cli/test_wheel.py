"""The wheel holds every package of the project."""

import tomllib

from tools.project import ROOT


def test_each_package_is_in_the_wheel():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

    found = {each.parent for each in ROOT.glob("*/mcphub_*/__init__.py")}
    assert set(wheel) == {each.relative_to(ROOT).as_posix() for each in found}
