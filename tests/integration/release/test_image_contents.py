"""What stands above the base in both images, as they are built for the tests.

Each build has imported every module of its program after removing the rest
(`tools/release/slim.py`).
"""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from tools.cluster.images import BuildRequest, build_image
from tools.project import ROOT

MEBIBYTE = 1024**2
SITE = "opt/mcphub/lib/python3.13/site-packages/"
BOUNDS = {"operator": 50, "server": 100}
# `make images` has built them; where it has not, pip needs minutes.
pytestmark = pytest.mark.timeout(1800)


@dataclass(frozen=True, slots=True)
class File:
    name: str
    size: int


@cache
def files_above_base(image: str) -> tuple[File, ...]:
    """List what the last layer adds; labels and settings have no layers."""
    dockerfile = ROOT / f"Dockerfile.{image}"
    request = BuildRequest(
        f"mcphub-{image}", dockerfile, ROOT, is_tagged_by_content=True
    )
    with tarfile.open(build_image(request).path) as archive:
        (manifest,) = json.load(archive.extractfile("manifest.json"))
        layer = archive.extractfile(manifest["Layers"][-1])
        with tarfile.open(fileobj=layer) as files:
            return tuple(File(m.name, m.size) for m in files if m.isfile())


def distributions(image: str) -> Iterator[str]:
    for file in files_above_base(image):
        if file.name.endswith(".dist-info/METADATA"):
            yield file.name.removeprefix(SITE).partition("-")[0].lower()


@pytest.mark.parametrize("image", BOUNDS)
def test_an_image_adds_little_to_its_base(image: str) -> None:
    files = files_above_base(image)

    assert {file.name.split("/")[:2] == ["opt", "mcphub"] for file in files} == {True}
    size = sum(file.size for file in files) / MEBIBYTE
    assert 10 < size <= BOUNDS[image]


@pytest.mark.parametrize("image", BOUNDS)
def test_no_installer_and_no_other_command_is_left(image: str) -> None:
    prefix = "opt/mcphub/bin/"
    names = [file.name for file in files_above_base(image)]
    commands = {n.removeprefix(prefix) for n in names if n.startswith(prefix)}

    assert {c for c in commands if not c.startswith("python")} == {f"mcphub-{image}"}
    assert "pip" not in {*distributions(image)}


def test_a_module_that_is_never_imported_is_in_neither_record_nor_file() -> None:
    names = [file.name.removeprefix(SITE) for file in files_above_base("server")]

    assert not {"numpy", "grpcio"} & {*distributions("server")}
    assert not [name for name in names if name.startswith(("numpy/", "grpc/"))]


@pytest.mark.parametrize("image", BOUNDS)
def test_every_module_has_byte_code(image: str) -> None:
    names = {file.name for file in files_above_base(image)}
    modules = {name for name in names if name.endswith(".py")}

    def compiled(module: str) -> str:
        folder, _, name = module.rpartition("/")
        return f"{folder}/__pycache__/{name.removesuffix('.py')}.cpython-313.pyc"

    assert modules
    assert {module for module in modules if compiled(module) not in names} == set()
