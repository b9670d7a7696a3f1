"""Reads which packages an image holds: from its archive, without running it.

Python's distributions describe themselves in METADATA files, Debian's packages in the
status file of dpkg.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath
from typing import IO

DPKG_STATUS = "var/lib/dpkg/status"
METADATA = re.compile(r"(?:^|/)[^/]+\.dist-info/METADATA$")
# A layer removes a file of those below it by an empty file with this prefix.
WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """A package of an image, as package URLs name it: `pkg:pypi/kopf@1.45.2`."""

    ecosystem: str
    name: str
    version: str
    license: str = ""
    """An SPDX expression; empty: the package gives none."""
    qualifiers: str = ""

    @property
    def url(self) -> str:
        """Return the package URL (purl specification)."""
        escaped = self.version.replace("%", "%25").replace("+", "%2B")
        return f"pkg:{self.ecosystem}/{self.name}@{escaped}{self.qualifiers}"


def read_packages(archive: Path) -> list[Package]:
    """Return the packages of an image in a docker archive, sorted."""
    return sorted({p for path, text in _read_files(archive) for p in _find(path, text)})


def _find(path: str, text: str) -> Iterator[Package]:
    if path == DPKG_STATUS:
        yield from parse_dpkg_status(text)
    else:
        yield parse_metadata(text)


def parse_metadata(text: str) -> Package:
    """Return the distribution that a METADATA file describes."""
    fields = Parser().parsestr(text, headersonly=True)
    name = re.sub(r"[-_.]+", "-", fields["Name"]).lower()
    expression = fields.get("License-Expression", "")
    return Package("pypi", name, fields["Version"], expression)


def parse_dpkg_status(text: str) -> Iterator[Package]:
    """Yield the installed packages of a status file."""
    for paragraph in re.split(r"\n{2,}", text.strip()):
        fields = Parser().parsestr(paragraph, headersonly=True)
        if fields.get("Status", "").endswith(" installed"):
            yield _debian(fields)


def _debian(fields: Message) -> Package:
    architecture = f"?arch={fields['Architecture']}"
    return Package(
        "deb/debian", fields["Package"], fields["Version"], qualifiers=architecture
    )


def _read_files(archive: Path) -> list[tuple[str, str]]:
    """Return the files that describe packages, as the topmost layers have them."""
    found: dict[str, str] = {}
    with tarfile.open(archive) as tar:
        (image,) = json.loads(_extract(tar, "manifest.json").read())
        for name in image["Layers"]:
            with tarfile.open(fileobj=_extract(tar, name)) as layer:
                _apply_layer(found, layer)
    return sorted(found.items())


def _apply_layer(found: dict[str, str], layer: tarfile.TarFile) -> None:
    for member in layer:
        path = PurePosixPath(member.name.removeprefix("./"))
        if path.name.startswith(WHITEOUT):
            _drop(found, path)
        elif member.isfile() and (
            str(path) == DPKG_STATUS or METADATA.search(str(path))
        ):
            content = layer.extractfile(member)
            assert content is not None  # it is a file
            found[str(path)] = content.read().decode("utf-8", "replace")


def _drop(found: dict[str, str], whiteout: PurePosixPath) -> None:
    is_folder = whiteout.name == OPAQUE
    name = whiteout.name.removeprefix(WHITEOUT)
    gone = whiteout.parent if is_folder else whiteout.with_name(name)
    for path in [p for p in found if PurePosixPath(p).is_relative_to(gone)]:
        del found[path]


def _extract(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    """Return a member of an archive, which docker may have written as a link."""
    content = tar.extractfile(name)
    if content is None:
        raise ValueError(f"{name} in the image's archive is no file")
    return content
