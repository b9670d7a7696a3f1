"""Builds both images and pushes them: `make publish REGISTRY=…`.

A version's tags are set last, when every image is in the registry under the tag of its
commit, with its bill of materials and its signature. A registry that refuses thus
leaves nothing under the version, and a tag that exists is never moved. A run that was
interrupted between the tags of both images is completed by the next one of the same
commit.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tools.cluster.archive import ARCHITECTURES, ImageArchive
from tools.cluster.errors import BadInput, ClusterError
from tools.cluster.images import BuildRequest, build_image
from tools.cluster.progress import say, step
from tools.project import ROOT
from tools.release.artifacts import SPDX, attach, parse_index
from tools.release.checkout import Checkout, read_checkout
from tools.release.contents import read_packages
from tools.release.registry import (
    copy_image,
    ensure_tools,
    find_digest,
    find_manifest,
    push_list,
)
from tools.release.sbom import Subject, build_document, write_document
from tools.release.signing import (
    SigningKey,
    attest_bill,
    check_key,
    read_key,
    sign_image,
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
    key: SigningKey | None = None

    def by_commit(self, name: str) -> str:
        """Return the image's name with the tag of its commit."""
        return self.release.image(name, self.checkout.tag)

    @property
    def is_latest(self) -> bool:
        """Tell whether the version is not a prerelease."""
        return "-" not in self.release.version


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


def find_missing(publication: Publication) -> tuple[str, ...]:
    """Return the images that the version lacks: all, or what an earlier run left out.

    Raises:
        BadInput: the version is complete, or has images of another commit.
        RegistryRefused: the registry does not answer, or not to these credentials.
    """
    release = publication.release
    digests = {name: find_digest(release.image(name)) for name in IMAGES}
    missing = tuple(name for name in IMAGES if not digests[name])
    for name in [each for each in IMAGES if each not in missing]:
        built_here = find_digest(publication.by_commit(name)) == digests[name]
        if not missing or not built_here:
            raise BadInput(
                f"{release.image(name)} exists, and a version's tag never moves:"
                " choose another version"
            )
    return missing


def publish(publication: Publication, build: Build = build_image) -> Iterator[str]:
    """Build, push and tag both images; yield the name and digest of each."""
    missing = find_missing(publication)
    if publication.key:
        check_key(publication.key)
    archives = {
        name: [build(request) for request in build_requests(name, publication)]
        for name in missing
    }
    for name, built in archives.items():
        _push(publication, name, built)
    for name in missing:
        yield _tag(publication, name, publication.release.version)
    if publication.is_latest:
        for name in IMAGES:
            yield _tag(publication, name, LATEST)


def _push(
    publication: Publication, name: str, archives: Sequence[ImageArchive]
) -> None:
    """Push an image under the tag of its commit, with all that refers to it."""
    image = publication.by_commit(name)
    with step(f"Pushing {image}"):
        push_list(image, [archive.path for archive in archives])
    with step(f"Attaching bills of materials to {name}"):
        attach_bills(publication, name, archives)
    if publication.key:
        with step(f"Signing {name}"):
            repository = publication.release.repository(name)
            sign_image(publication.key, f"{repository}@{find_digest(image)}")


def _tag(publication: Publication, name: str, tag: str) -> str:
    source = publication.by_commit(name)
    target = publication.release.image(name, tag)
    return f"{target}@{copy_image(source, target)}"


def attach_bills(
    publication: Publication, name: str, archives: Sequence[ImageArchive]
) -> None:
    """Attach to the image of each architecture the list of its packages.

    Raises:
        RegistryRefused: the registry did not take it.
    """
    index = find_manifest(publication.by_commit(name)) or b""
    version, seconds = publication.release.version, publication.checkout.seconds
    for archive, image in zip(archives, parse_index(index), strict=True):
        subject = Subject(name, version, image.digest, seconds)
        document = build_document(subject, read_packages(archive.path))
        repository = publication.release.repository(name)
        bill = write_document(document)
        attach(repository, image, SPDX, bill)
        if publication.key:
            attest_bill(publication.key, f"{repository}@{image.digest}", bill)


def parse_architectures(text: str) -> tuple[str, ...]:
    """Return the architectures of a list, each once; empty: this machine's.

    Raises:
        BadInput: there are no images for one of them.
    """
    wanted = tuple(dict.fromkeys(text.replace(",", " ").split()))
    known = sorted(ARCHITECTURES.values())
    for name in wanted:
        if name not in known:
            raise BadInput(
                f"ARCHITECTURES= names {name!r}; there are {' and '.join(known)}"
            )
    return wanted or ("",)


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
    architectures = parse_architectures(given.architectures)
    key = read_key(Path(given.key), os.environ) if given.key else None
    return Publication(release, checkout, architectures, given.base, key)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make publish", description=__doc__)
    for option in ("registry", "version", "architectures", "base", "key"):
        parser.add_argument(f"--{option}", default="")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Publish as the command line says; print what was published."""
    try:
        publication = read_publication(_parse(arguments))
        if not publication.key:
            say(" ! The images will not be signed: KEY= names no key")
        ensure_tools()
        for line in publish(publication):
            print(line)
    except ClusterError as error:
        say(f"ERROR: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
