"""`make release VERSION=…`: says what stands in the way of a release.

`make version VERSION=…` writes the version into every place; `make notes` prints the
section of the changelog. None of them changes git: the tag is yours to set.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tools.cluster.commands import run, succeeds
from tools.cluster.errors import BadInput, ClusterError
from tools.cluster.progress import say
from tools.project import ROOT
from tools.release import chart
from tools.release.changelog import NEXT, find_section, release_section
from tools.release.checkout import read_checkout
from tools.release.places import find_disagreements, set_version
from tools.release.version import parse_version, project_version


def find_unpinned(pyproject: str, constraints: str) -> Iterator[str]:
    """Yield a sentence for each dependency without a tested version."""
    project = tomllib.loads(pyproject)["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(line for extra in extras for line in extra)]
    pinned = {_name(line) for line in constraints.splitlines() if "==" in line}
    for name in sorted({_name(line) for line in wanted} - pinned - {project["name"]}):
        yield f"constraints.txt pins no version of {name}"


def _name(requirement: str) -> str:
    name = re.split(r"[\[<>=!~; ]", requirement.strip(), maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def find_obstacles(root: Path, version: str) -> Iterator[str]:
    """Yield a sentence for each thing that does not fit the version."""
    yield from find_disagreements(root, version)
    text = (root / "CHANGELOG.md").read_text()
    if not find_section(text, version):
        yield f"CHANGELOG.md has no section for {version}"
    if find_section(text, NEXT):
        yield f"CHANGELOG.md has entries under {NEXT}: they belong to {version}"
    yield from find_unpinned(
        (root / "pyproject.toml").read_text(), (root / "constraints.txt").read_text()
    )
    for path, generated in chart.generate().items():
        if path.read_text() != generated:
            yield f"{path.relative_to(root)} is out of date: run `make crd`"
    yield from find_in_git(root, version)


def find_in_git(root: Path, version: str) -> Iterator[str]:
    """Yield a sentence for each thing in git that does not fit the version."""
    try:
        checkout = read_checkout(root, datetime.now(UTC))
    except BadInput as error:
        yield str(error)
        return
    tagged = ["git", "-C", str(root), "rev-parse", f"refs/tags/v{version}^{{commit}}"]
    if not checkout.revision or not succeeds(tagged):
        return
    if run(tagged).strip() != checkout.revision:
        yield (
            f"the tag v{version} exists at another commit, and a version's tag never"
            " moves: choose another version"
        )


def _check(version: str) -> int:
    obstacles = list(find_obstacles(ROOT, version))
    for obstacle in obstacles:
        say(f"ERROR: {obstacle}")
    if not obstacles:
        print(f"{version} is ready: git tag v{version} && git push origin v{version}")
    return bool(obstacles)


def _set(version: str) -> int:
    path = ROOT / "CHANGELOG.md"
    text = release_section(path.read_text(), version, datetime.now(UTC).date())
    set_version(ROOT, version)
    path.write_text(text)
    print(f"{version} is set: run `make crd`, commit, and `make release` checks it")
    return 0


def _notes(version: str) -> int:
    section = find_section((ROOT / "CHANGELOG.md").read_text(), version)
    if section is None:
        raise BadInput(f"CHANGELOG.md has no section for {version}")
    print(section)
    return 0


def main(arguments: Sequence[str]) -> int:
    """Check, set or describe a version, as the command line says."""
    parser = argparse.ArgumentParser(prog="make release", description=__doc__)
    commands = {"check": _check, "set": _set, "notes": _notes}
    parser.add_argument("command", choices=commands)
    parser.add_argument("--version", default="")
    given = parser.parse_args(arguments)
    try:
        version = parse_version(given.version or project_version())
        return commands[given.command](version)
    except ClusterError as error:
        say(f"ERROR: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
