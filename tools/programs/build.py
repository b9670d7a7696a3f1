"""Builds a Go program from its published module, once for each pinned version.

Each folder beside this file holds the go.mod and go.sum of one program, so the
dependencies of one never move those of another. The `tool` line names the package. A
program that no module has, but whose parts all have modules, has its main.go here too.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.cluster.errors import BadInput, ClusterError
from tools.cluster.golang import find_go
from tools.cluster.places import cache_dir, drop_old, exclusive, log_dir, made
from tools.cluster.progress import run_logged, say
from tools.cluster.registries import GO, fetching

HERE = Path(__file__).parent
KEPT_VERSIONS = 2
# Where a program keeps its own version, if it does not read it from the module.
VERSION_VARIABLES = {
    "cosign": "sigs.k8s.io/release-utils/version.gitVersion",
    "helm3": "helm.sh/helm/v3/internal/version.version",
    "helm4": "helm.sh/helm/v4/internal/version.version",
    "kube-score": "main.version",
    "otelcol": "main.version",
}
# Programs with a main.go here, and the module whose version is theirs.
PARTS = {"otelcol": "go.opentelemetry.io/collector/otelcol"}


@dataclass(frozen=True, slots=True)
class Source:
    """A program's module: its name here, the package to build, its version."""

    name: str
    package: str
    version: str
    module_text: str

    @property
    def folder(self) -> Path:
        """Return the folder of the module."""
        return HERE / self.name


def read_source(name: str) -> Source:
    """Return what go.mod says about a program.

    Raises:
        BadInput: the project pins no program of that name.
    """
    path = HERE / name / "go.mod"
    if not path.is_file():
        names = ", ".join(sorted(p.parent.name for p in HERE.glob("*/go.mod")))
        raise BadInput(f"no program {name!r} is pinned here; there are {names}")
    text = path.read_text()
    package = _find(r"^tool (\S+)$", text)
    module = PARTS.get(name) or re.sub(r"/cmd(/.+)?$", "", package)
    version = _find(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", text)
    return Source(name, package, version, text)


def _find(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        raise BadInput(f"go.mod has no line that matches {pattern}")
    return found.group(1)


def program_path(source: Source) -> Path:
    """Return where the program is, or will be, once it is built."""
    parts = [source.folder / "go.sum", *sorted(source.folder.glob("*.go"))]
    sums = b"".join(part.read_bytes() for part in parts)
    key = hashlib.sha256(source.module_text.encode() + sums).hexdigest()[:12]
    folder = cache_dir() / "programs" / source.name / f"{source.version}-{key}"
    last = source.package.rpartition("/")[2]
    return folder / (source.name if last == "cmd" else last)


def linker_flags(source: Source) -> str:
    """Return flags that drop debug data and set the version that the program prints."""
    variable = VERSION_VARIABLES.get(source.name)
    return f"-s -w -X {variable}={source.version}" if variable else "-s -w"


def ensure_program(name: str) -> Path:
    """Return the program, built first where it is missing."""
    source = read_source(name)
    target = program_path(source)
    if target.exists():
        return target
    with exclusive(f"program-{name}"):
        if not target.exists():
            _build(source, target)
            drop_old(target.parent.parent, keep=KEPT_VERSIONS)
    return target


def _build(source: Source, target: Path) -> None:
    go = find_go(source.module_text)
    fresh = made(target.parent.parent) / f"{target.parent.name}.tmp"
    shutil.rmtree(fresh, ignore_errors=True)
    words: list[str | Path] = ["nice", go, "build", "-trimpath", "-v"]
    flags: list[str | Path] = ["-ldflags", linker_flags(source), "-o"]
    with fetching(f"the modules of {source.name} {source.version}", GO):
        run_logged(
            f"Building {source.name} {source.version} from its Go modules (once)",
            [*words, *flags, made(fresh) / target.name, source.package],
            log_dir() / f"build-{source.name}.log",
            cwd=source.folder,
            env=_environment(),
        )
    fresh.rename(target.parent)


def _environment() -> dict[str, str]:
    return os.environ | {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def main(names: list[str]) -> int:
    """Build the named programs and print where each is."""
    try:
        for name in names:
            print(ensure_program(name))
    except ClusterError as error:
        say(f"ERROR: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
