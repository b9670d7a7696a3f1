"""Builds FerretDB from its Go module into the cache, once, whoever comes first.

MongoDB's own server is in no package registry. FerretDB speaks its wire protocol with
SQLite behind it: a double, which lacks stages such as $lookup. Its module refuses to
start unless a file names its version, which a release's build writes; so it is built
from a copy that has the file.
"""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

from tools.cluster.commands import run
from tools.cluster.golang import find_go
from tools.cluster.places import cache_dir, exclusive, log_dir
from tools.cluster.progress import run_logged
from tools.cluster.registries import GO, fetching

SOURCES = Path(__file__).parent
MODULE = "github.com/FerretDB/FerretDB"
ENVIRONMENT = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def install_ferretdb() -> Path:
    """Return FerretDB's program, built if it is missing."""
    module = (SOURCES / "go.mod").read_text()
    key = hashlib.sha256(module.encode()).hexdigest()[:12]
    program = cache_dir() / f"ferretdb-{find_version(module)}-{key}"
    with exclusive(program.name):
        if not program.exists():
            _build(module, program)
    return program


def find_version(module: str) -> str:
    """Return the version of FerretDB that a go.mod requires."""
    found = re.search(rf"{MODULE} (v\S+)$", module, re.MULTILINE)
    assert found, "go.mod requires no FerretDB"
    return found.group(1)


def _build(module: str, program: Path) -> None:
    go = find_go(module)
    version = find_version(module)
    source = program.with_name(f"{program.name}.source")
    fresh = program.with_name(f"{program.name}.tmp")
    with fetching(f"the modules of FerretDB {version}", GO):
        _copy_source(go, version, source)
        run_logged(
            f"Building FerretDB {version} from its Go module (2 minutes, once)",
            [
                *("nice", go, "build", "-trimpath", "-buildvcs=false"),
                *("-ldflags", "-s -w", "-o", fresh, "./cmd/ferretdb"),
            ],
            log_dir() / "build-ferretdb.log",
            cwd=source,
            env=os.environ | ENVIRONMENT,
        )
    fresh.rename(program)
    shutil.rmtree(source)


def _copy_source(go: Path, version: str, source: Path) -> None:
    """Copy the module, checked against go.sum, and name its version in it."""
    told = run([go, "-C", SOURCES, "mod", "download", "-json", MODULE])
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(json.loads(told)["Dir"], source, copy_function=shutil.copyfile)
    for folder in (source, *source.rglob("*/")):
        folder.chmod(0o755)
    (source / "build" / "version" / "version.txt").write_text(version)
