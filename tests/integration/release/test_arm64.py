"""Everything that the images install has a wheel for linux/arm64.

A build for another architecture runs under an emulator, where compiling takes hours and
the final images have no compiler. Asks the package index; `make test-release` runs it.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.project import ROOT

PYTHON = "3.13"
# The base images have glibc 2.41; wheels name the oldest that they work with.
PLATFORMS = tuple(f"manylinux_2_{minor}_aarch64" for minor in range(17, 42))


def requirements(extra: str) -> list[str]:
    """List what an extra needs; where it names another one, what that one needs.

    The index has a project of another owner under our name: pip must not look for it.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]

    def expand(lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            own = re.fullmatch(r"mcphub\[(.+)\]", line)
            names = own[1].split(",") if own else []
            yield from (each for name in names for each in expand(extras[name]))
            if not own:
                yield line

    return [*expand([*project["dependencies"], *extras[extra]])]


def resolve(wanted: list[str], target: Path) -> subprocess.CompletedProcess[str]:
    """Let pip choose wheels for arm64 without fetching them."""
    platforms = (f"--platform={name}" for name in ("manylinux2014_aarch64", *PLATFORMS))
    words = (
        *(sys.executable, "-m", "pip", "install", "--dry-run", "--quiet"),
        *("--ignore-installed", "--only-binary=:all:", "--report=-"),
        *(f"--python-version={PYTHON}", "--implementation=cp", f"--target={target}"),
        *("-c", str(ROOT / "constraints.txt"), *platforms, *wanted),
    )
    return subprocess.run(words, capture_output=True, text=True, check=False)


def compiled(report: dict[str, Any]) -> set[str]:
    """Return the distributions whose wheel is for arm64 only."""
    return {
        item["metadata"]["name"].lower()
        for item in report["install"]
        if "aarch64" in item["download_info"]["url"]
    }


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("extra", "some"),
    [("operator", {"aiohttp", "msgspec"}), ("server", {"asyncpg", "pglast", "uvloop"})],
)
def test_every_dependency_has_a_wheel(
    tmp_path: Path, extra: str, some: set[str]
) -> None:
    done = resolve(requirements(extra), tmp_path)

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert some <= compiled(report)
    assert "mcphub" not in {item["metadata"]["name"] for item in report["install"]}


@pytest.mark.timeout(600)
def test_a_distribution_without_a_wheel_is_found(tmp_path: Path) -> None:
    done = resolve(["setproctitle==1.1"], tmp_path)  # of 2010: sources only

    assert done.returncode
    assert "setproctitle" in done.stderr
