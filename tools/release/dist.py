"""Writes what users install into dist/: one file for kubectl, and the packed chart.

config/ is rendered by any kubectl, the project's own where the machine has no other.
Image names are replaced in the rendered text: the files need no kustomize, no overlay.
"""

from __future__ import annotations

import argparse
import gzip
import io
import re
import shutil
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from tools.cluster.binaries import ensure_binaries
from tools.cluster.commands import run
from tools.cluster.errors import ClusterError, StepFailed
from tools.cluster.progress import say
from tools.project import ROOT
from tools.release.chart import CHART
from tools.release.version import (
    OPERATOR,
    SERVER,
    Release,
    project_version,
    read_release,
)

FILES = {"install.yaml": "default", "install-namespaced.yaml": "namespaced"}
HEADER = """# mcphub {version}. Install or upgrade:
#
#   kubectl apply --server-side -f {name}
"""


def find_kubectl() -> str | Path:
    """Return a kubectl, built from its Go modules where the machine has none."""
    return shutil.which("kubectl") or ensure_binaries().part("kubectl")


def name_images(rendered: str, release: Release) -> str:
    """Replace the names that config/ gives the two images.

    Raises:
        StepFailed: a name does not appear exactly once.
    """
    there = Release(project_version())
    for name in (OPERATOR, SERVER):
        old = re.compile(rf"(?<=: ){re.escape(there.image(name))}$", re.MULTILINE)
        rendered, count = old.subn(release.image(name), rendered)
        if count != 1:
            raise StepFailed(
                "Naming the images", f"config/ names {name} {count} times, not once"
            )
    return rendered


def build_installation(kubectl: str | Path, file: str, release: Release) -> str:
    """Return the text of one of the files that kubectl installs."""
    rendered = run([kubectl, "kustomize", ROOT / "config" / FILES[file]])
    header = HEADER.format(version=release.version, name=file)
    return header + name_images(rendered, release)


def chart_texts(release: Release) -> Iterator[tuple[str, str]]:
    """Yield name and text of each file of the packed chart, in a stable order."""
    ignored = set((CHART / ".helmignore").read_text().split())
    for path in sorted(CHART.rglob("*")):
        if path.is_file() and path.name not in ignored:
            yield str(path.relative_to(CHART)), _set_release(path, release)


def _set_release(path: Path, release: Release) -> str:
    text = path.read_text()
    if path == CHART / "Chart.yaml":
        return re.sub(
            r"(?m)^(version|appVersion): .*$", rf"\1: {release.version}", text
        )
    if path == CHART / "values.yaml":
        return re.sub(r'(?m)^registry: ""$', f'registry: "{release.registry}"', text)
    return text


def pack_chart(release: Release) -> bytes:
    """Return the chart as `helm package` packs it, the same bytes each time."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as archive,
    ):
        for name, text in chart_texts(release):
            data = text.encode()
            info = tarfile.TarInfo(f"mcphub/{name}")
            info.size, info.mode = len(data), 0o644
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def write_dist(folder: Path, release: Release) -> list[Path]:
    """Write all files of a release; return where they are."""
    kubectl = find_kubectl()
    written = {
        file: build_installation(kubectl, file, release).encode() for file in FILES
    }
    written[f"mcphub-{release.version}.tgz"] = pack_chart(release)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in written.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in written]


def main(arguments: list[str]) -> int:
    """Write dist/ as the command line says."""
    parser = argparse.ArgumentParser(prog="make dist", description=__doc__)
    parser.add_argument("--registry", default="")
    parser.add_argument("--version", default="")
    given = parser.parse_args(arguments)
    try:
        release = read_release(given.version, given.registry)
        for path in write_dist(ROOT / "dist", release):
            print(path.relative_to(ROOT))
    except ClusterError as error:
        say(f"ERROR: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
