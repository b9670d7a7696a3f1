"""Writes the bill of materials of an image as an SPDX 2.3 document in JSON."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from license_expression import ExpressionError, LicenseExpression
from spdx_tools.common.spdx_licensing import spdx_licensing
from spdx_tools.spdx.model import (
    Actor,
    ActorType,
    CreationInfo,
    Document,
    ExternalPackageRef,
    ExternalPackageRefCategory,
    PackagePurpose,
    Relationship,
    RelationshipType,
    SpdxNoAssertion,
)
from spdx_tools.spdx.model import (
    Package as SpdxPackage,
)
from spdx_tools.spdx.writer.write_anything import write_file

from tools.release.contents import Package

DOCUMENT = "SPDXRef-DOCUMENT"
IMAGE = "SPDXRef-image"
NAMESPACES = "https://spdx.org/spdxdocs"


@dataclass(frozen=True, slots=True)
class Subject:
    """The image that a bill describes."""

    name: str
    version: str
    digest: str
    seconds: int
    """When it was created, since 1970."""


def build_document(subject: Subject, packages: Sequence[Package]) -> Document:
    """Return the bill; equal arguments make equal documents."""
    return Document(
        _creation(subject),
        packages=[_image(subject), *(_package(each) for each in packages)],
        relationships=list(_relationships(packages)),
    )


def write_document(document: Document) -> bytes:
    """Return the document as JSON.

    Raises:
        ValueError: it is not a valid document.
    """
    with tempfile.TemporaryDirectory(prefix="mcphub-sbom-") as folder:
        path = Path(folder) / "sbom.spdx.json"
        write_file(document, str(path), validate=True)
        return path.read_bytes()


def _creation(subject: Subject) -> CreationInfo:
    full = f"{subject.name}-{subject.version}"
    digest = subject.digest.removeprefix("sha256:")
    return CreationInfo(
        spdx_version="SPDX-2.3",
        spdx_id=DOCUMENT,
        name=full,
        document_namespace=f"{NAMESPACES}/{full}-{digest}",
        creators=[Actor(ActorType.TOOL, "mcphub make publish")],
        created=datetime.fromtimestamp(subject.seconds, UTC).replace(tzinfo=None),
        data_license="CC0-1.0",
    )


def _image(subject: Subject) -> SpdxPackage:
    url = f"pkg:oci/{subject.name}@{subject.digest.replace(':', '%3A')}"
    return SpdxPackage(
        spdx_id=IMAGE,
        name=subject.name,
        version=subject.version,
        download_location=SpdxNoAssertion(),
        files_analyzed=False,
        primary_package_purpose=PackagePurpose.CONTAINER,
        external_references=[_reference(url)],
    )


def _package(package: Package) -> SpdxPackage:
    return SpdxPackage(
        spdx_id=_identity(package),
        name=package.name,
        version=package.version,
        download_location=SpdxNoAssertion(),
        files_analyzed=False,
        license_declared=_license(package.license),
        external_references=[_reference(package.url)],
    )


def _license(expression: str) -> LicenseExpression | SpdxNoAssertion:
    """Return the parsed expression, or no assertion for one that SPDX lacks."""
    if not expression:
        return SpdxNoAssertion()
    try:
        return spdx_licensing.parse(expression, validate=True)
    except ExpressionError:
        return SpdxNoAssertion()


def _reference(url: str) -> ExternalPackageRef:
    category = ExternalPackageRefCategory.PACKAGE_MANAGER
    return ExternalPackageRef(category, "purl", url)


def _identity(package: Package) -> str:
    """Return an identifier: letters and digits, and a digest that keeps them apart."""
    readable = re.sub(r"[^a-zA-Z0-9.]+", "-", f"{package.ecosystem}-{package.name}")
    digest = hashlib.sha256(package.url.encode()).hexdigest()[:8]
    return f"SPDXRef-{readable}-{digest}"


def _relationships(packages: Sequence[Package]) -> Iterator[Relationship]:
    yield Relationship(DOCUMENT, RelationshipType.DESCRIBES, IMAGE)
    for package in packages:
        yield Relationship(IMAGE, RelationshipType.CONTAINS, _identity(package))
