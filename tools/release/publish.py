"""Builds both images and pushes them: `make publish REGISTRY=…`.

A version's tag is set last, when every image is in the registry under the tag of its
commit. A registry that refuses thus leaves nothing under the version, and a tag that
exists is never moved.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tools.cluster.archive import ImageArchive
from tools.cluster.errors import BadInput, ClusterError
from tools.cluster.images import BuildRequest, build_image
from tools.cluster.progress import say, step
from tools.project import ROOT
from tools.release.checkout import Checkout, read_checkout
from tools.release.registry import (
    copy_image,
    ensure_tools,
    has_image,
    push_list,
)
from tools.release.version import IMAGES, Release, project_version, read_release

LATEST = "latest"
Build = Callable[[BuildRequest], ImageArchive]


@dataclass(frozen=True, slots=True)
class Publication:
    """What is published: the release, its sources, for which architectures."""

    release: Release
    checkout: Checkout
    architectures: tuple[str, ...] = ("",)
    base: str = ""

    def by_commit(self, name: str) -> str:
        """Return the image's name with the tag of its commit."""
        return self.release.image(name, self.checkout.tag)

    @property
    def tags(self) -> tuple[str, ...]:
        """Return the tags that are set last; a prerelease is not the latest."""
        version = self.release.version
        return (version,) if "-" in version else (version, LATEST)


def build_requests(name: str, publication: Publication) -> Iterator[BuildRequest]:
    """Yield what an image is built from, with its labels, for each architecture."""
    checkout = publication.checkout
    arguments = {
        "VERSION": publication.release.version,
        "REVISION": checkout.revision,
        "CREATED": checkout.created,
        "SOURCE": checkout.source,
    }
    if publication.base:
        arguments["BASE"] = publication.base
    for architecture in publication.architectures:
        yield BuildRequest(
            f"{name}:{checkout.tag}",
            ROOT / f"Dockerfile.{name.removeprefix('mcphub-')}",
            ROOT,
            arguments,
            architecture=architecture,
            timestamp=checkout.seconds,
        )


def refuse_existing(release: Release) -> None:
    """Fail if a tag of the version exists.

    Raises:
        BadInput: it does.
        RegistryRefused: the registry does not answer, or not to these credentials.
    """
    for name in IMAGES:
        if has_image(release.image(name)):
            raise BadInput(
                f"{release.image(name)} exists, and a version's tag never moves:"
                " choose another version"
            )


def publish(publication: Publication, build: Build = build_image) -> Iterator[str]:
    """Build, push and tag both images; yield the name and digest of each."""
    refuse_existing(publication.release)
    archives = {
        name: [build(request) for request in build_requests(name, publication)]
        for name in IMAGES
    }
    for name, built in archives.items():
        with step(f"Pushing {publication.by_commit(name)}"):
            push_list(publication.by_commit(name), [archive.path for archive in built])
    for tag in publication.tags:
        for name in IMAGES:
            source = publication.by_commit(name)
            target = publication.release.image(name, tag)
            yield f"{target}@{copy_image(source, target)}"


def read_publication(given: argparse.Namespace) -> Publication:
    """Return what the command line asks for.

    Raises:
        BadInput: it cannot be published as it stands.
    """
    if not given.registry:
        raise BadInput("REGISTRY= is missing, such as REGISTRY=registry.example.com/me")
    release = read_release(given.version, given.registry)
    if release.version != project_version():
        raise BadInput(
            f"VERSION={release.version} is not the version of this checkout,"
            f" {project_version()}: `make release VERSION={release.version}` says"
            " what to change"
        )
    checkout = read_checkout(ROOT, datetime.now(UTC))
    architectures = tuple(given.architectures.replace(",", " ").split()) or ("",)
    return Publication(release, checkout, architectures, given.base)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make publish", description=__doc__)
    for option in ("registry", "version", "architectures", "base"):
        parser.add_argument(f"--{option}", default="")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Publish as the command line says; print what was published."""
    try:
        publication = read_publication(_parse(arguments))
        ensure_tools()
        for line in publish(publication):
            print(line)
    except ClusterError as error:
        say(f"ERROR: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
