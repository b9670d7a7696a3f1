"""The version that a release has, and the names of its images."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tools.cluster.errors import BadInput
from tools.project import ROOT

OPERATOR, SERVER = "mcphub-operator", "mcphub-server"
IMAGES = (OPERATOR, SERVER)
VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?")
# A host, with a port if need be, and folders: what stands in front of an image's name.
REGISTRY = re.compile(
    r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
)


def project_version(root: Path = ROOT) -> str:
    """Return the version in pyproject.toml."""
    data = tomllib.loads((root / "pyproject.toml").read_text())
    return str(data["project"]["version"])


def parse_version(text: str) -> str:
    """Return a version without its leading v.

    Raises:
        BadInput: it is not one of Semantic Versioning.
    """
    version = text.removeprefix("v")
    if not VERSION.fullmatch(version):
        raise BadInput(f"VERSION={text} is not a version such as 1.2.3 or 1.2.3-rc.1")
    return version


def parse_registry(text: str) -> str:
    """Return what stands in front of the images' names, without a slash at the end.

    Raises:
        BadInput: it is not a registry with folders.
    """
    registry = text.removesuffix("/")
    if not REGISTRY.fullmatch(registry):
        raise BadInput(
            f"REGISTRY={text} is not a registry such as registry.example.com/mcphub"
            " (no https://, no tag)"
        )
    return registry


@dataclass(frozen=True, slots=True)
class Release:
    """A version, and the registry that holds its images; empty: none."""

    version: str
    registry: str = ""

    def image(self, name: str, tag: str = "") -> str:
        """Return the full name of an image, by default tagged with the version."""
        return f"{self.repository(name)}:{tag or self.version}"

    def repository(self, name: str) -> str:
        """Return the full name of an image without a tag."""
        return f"{self.registry}/{name}" if self.registry else name


def read_release(version: str, registry: str) -> Release:
    """Return the release that a command's arguments name; empty: the project's."""
    return Release(
        parse_version(version) if version else project_version(),
        parse_registry(registry) if registry else "",
    )
