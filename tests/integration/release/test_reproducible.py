"""An image that is built twice from one commit is the same: it has one digest.

The second build is of another checkout: elsewhere, younger, and of a user whose umask
is another, so no layer of the first one fits. One of an earlier day may fit the first
build, but each compiles every module again.
"""

import hashlib
import json
import secrets
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.cluster.archive import ImageArchive, read_archive
from tools.cluster.builders import BuildahBuilder, open_buildah
from tools.cluster.images import BuildRequest, context_files
from tools.cluster.places import log_dir
from tools.project import ROOT
from tools.release.version import IMAGES

# pip needs minutes for each build, and more while other builds take the processors.
pytestmark = pytest.mark.timeout(3600)

COMMITTED_AT = 1_700_000_000
SLIM = "/opt/mcphub/bin/python /slim/slim.py"
"""The step of both Dockerfiles that must not come from the cache."""

LAST_STEP = "modules import"
"""What the build of every image prints at its end, unless it takes a layer as it is."""


def copy_checkout(name: str, folder: Path, *, writable_by_group: bool) -> BuildRequest:
    """Copy what an image is built from, as git would write it elsewhere."""
    dockerfile = Path(f"Dockerfile.{name.removeprefix('mcphub-')}")
    usual = BuildRequest(name, ROOT / dockerfile, ROOT)
    for path in [*context_files(usual), dockerfile, Path(".dockerignore")]:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / path).read_bytes())
        target.chmod(0o664 if writable_by_group else 0o644)
    text = (ROOT / dockerfile).read_text()
    assert SLIM in text
    fresh = f": {secrets.token_hex()} && {SLIM}"
    (folder / dockerfile).write_text(text.replace(SLIM, fresh))
    tag = f"{name}-{folder.name}:reproducible"
    return BuildRequest(tag, folder / dockerfile, folder, timestamp=COMMITTED_AT)


def build(builder: BuildahBuilder, request: BuildRequest) -> ImageArchive:
    target = request.context.with_suffix(".tar")
    builder.build(request, f"localhost/{request.name}", target)
    log = log_dir() / f"image-{request.name.replace(':', '-')}.log"
    assert LAST_STEP in log.read_text()
    return read_archive(target)


def describe_files(archive: ImageArchive) -> Iterator[tuple[str, ...]]:
    """Yield what the image of mcphub adds to its base, in the order of the layer."""
    with tarfile.open(archive.path) as tar:
        (manifest,) = json.load(tar.extractfile("manifest.json"))
        with tarfile.open(fileobj=tar.extractfile(manifest["Layers"][-1])) as layer:
            for member in layer:
                content = layer.extractfile(member).read() if member.isfile() else b""
                digest = hashlib.sha256(content).hexdigest()
                numbers = (member.mode, member.uid, member.gid, member.mtime)
                yield (member.name, member.linkname, digest, *map(str, numbers))


@pytest.mark.parametrize("name", IMAGES)
def test_two_checkouts_of_a_commit_give_one_image(name: str, tmp_path: Path) -> None:
    builder = open_buildah()
    places = (tmp_path / "one", tmp_path / "another" / "with-a-longer-path")
    checkouts = [
        copy_checkout(name, place, writable_by_group=place != places[0])
        for place in places
    ]

    first, second = (build(builder, checkout) for checkout in checkouts)

    assert [*describe_files(first)] == [*describe_files(second)]
    assert first.image_id == second.image_id
