"""What stands in the way of a release, and what setting a version changes."""

import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml

from tests.support.git import git
from tools.cluster.errors import BadInput
from tools.project import ROOT
from tools.release.changelog import find_section, release_section
from tools.release.check import find_in_git, find_unpinned
from tools.release.places import PLACES, find_disagreements, set_version
from tools.release.version import project_version

CHANGELOG = """# Changelog

## Unreleased

### Added

- A tool.

## 0.1.0 (2026-01-01)

- The first.
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files of this checkout that name the version."""
    for place in PLACES:
        target = tmp_path / place.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / place.path, target)
    return tmp_path


def test_every_place_of_this_checkout_names_its_version() -> None:
    assert list(find_disagreements(ROOT, project_version())) == []


def test_setting_a_version_changes_every_place(copy: Path) -> None:
    set_version(copy, "9.8.7-rc.1")

    assert list(find_disagreements(copy, "9.8.7-rc.1")) == []


def test_setting_a_version_changes_nothing_else(copy: Path) -> None:
    set_version(copy, "9.8.7")
    set_version(copy, project_version())

    changed = [
        place.path
        for place in PLACES
        if (copy / place.path).read_text() != (ROOT / place.path).read_text()
    ]

    assert changed == []


def test_a_place_that_was_forgotten_is_named(copy: Path) -> None:
    set_version(copy, "9.8.7")
    path = copy / "Dockerfile.server"
    path.write_text(path.read_text().replace("VERSION=9.8.7", "VERSION=0.1.0"))

    assert list(find_disagreements(copy, "9.8.7")) == [
        "Dockerfile.server names version 0.1.0, not 9.8.7"
    ]


def test_every_dependency_has_a_tested_version() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text()

    unpinned = find_unpinned(pyproject, (ROOT / "constraints.txt").read_text())

    assert list(unpinned) == []


def test_a_dependency_without_a_tested_version_is_named() -> None:
    pyproject = """[project]
    name = "x"
    dependencies = ["Foo_Bar[extra]>=1"]
    [project.optional-dependencies]
    dev = ["x[all]", "baz; python_version < '3.13'"]
    """

    assert list(find_unpinned(pyproject, "baz==1.0\n")) == [
        "constraints.txt pins no version of foo-bar"
    ]


def test_what_is_unreleased_becomes_the_section_of_the_version() -> None:
    text = release_section(CHANGELOG, "0.2.0", date(2026, 2, 3))

    assert find_section(text, "Unreleased") == ""
    assert find_section(text, "0.2.0") == "### Added\n\n- A tool."
    assert find_section(text, "0.1.0") == "- The first."


@pytest.mark.parametrize(
    ("text", "version", "says"),
    [
        pytest.param(CHANGELOG, "0.1.0", "a section for 0.1.0 already", id="twice"),
        pytest.param("## Unreleased\n", "0.2.0", "nothing under", id="empty"),
    ],
)
def test_a_section_that_cannot_be_made_is_refused(
    text: str, version: str, says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        release_section(text, version, date(2026, 2, 3))


@pytest.mark.parametrize("name", ["ci.yml", "release.yml", "scan.yml"])
def test_a_workflow_runs_targets_that_the_makefile_has(name: str) -> None:
    text = (ROOT / ".github" / "workflows" / name).read_text()
    makefile = (ROOT / "Makefile").read_text()
    words = [
        line.split("make ")[1].split() for line in text.splitlines() if "make " in line
    ]

    targets = {word[0] for word in words if not word[0].startswith("-")}

    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    assert [t for t in targets if f"\n{t.rstrip(')')}:" not in makefile] == []


def test_a_version_without_a_tag_may_be_tagged(repository: Path) -> None:
    assert list(find_in_git(repository, "1.2.3")) == []


@pytest.mark.parametrize("options", [(), ("-a", "-m", "x")], ids=["light", "annotated"])
def test_a_tag_belongs_to_one_commit(
    repository: Path, options: tuple[str, ...]
) -> None:
    git(repository, "tag", *options, "v1.2.3")

    here = list(find_in_git(repository, "1.2.3"))
    git(repository, "commit", "--allow-empty", "-m", "second")
    later = list(find_in_git(repository, "1.2.3"))

    assert here == []
    (said,) = later
    assert said == (
        "the tag v1.2.3 exists at another commit, and a version's tag never moves:"
        " choose another version"
    )
