"""Bills of materials: what an archive holds, as SPDX 2.3."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from tools.release.contents import (
    Package,
    parse_dpkg_status,
    parse_metadata,
    read_packages,
)
from tools.release.sbom import Subject, build_document, write_document

SUBJECT = Subject("mcphub-server", "1.2.3", "sha256:" + "ab" * 32, 1_700_000_000)
METADATA = "site-packages/a-1.dist-info/METADATA"


def tar(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return written.getvalue()


def image(folder: Path, *layers: dict[str, str]) -> Path:
    """Write a docker archive of layers, the base first."""
    packed = {
        f"{number}.tar": tar({name: text.encode() for name, text in layer.items()})
        for number, layer in enumerate(layers)
    }
    manifest = json.dumps([{"Config": "c.json", "Layers": [*packed]}]).encode()
    path = folder / "image.tar"
    path.write_bytes(tar({"manifest.json": manifest, **packed}))
    return path


def status(name: str, version: str = "1", state: str = "install ok installed") -> str:
    return (
        f"Package: {name}\nStatus: {state}\nArchitecture: arm64\nVersion: {version}\n"
        "Description: one\n line\n .\n and another\n"
    )


def test_debian_packages_count_while_they_are_installed() -> None:
    text = f"{status('libc6', '2.41-1')}\n{status('gone', state='deinstall ok x')}"

    (package,) = parse_dpkg_status(text)

    assert package.url == "pkg:deb/debian/libc6@2.41-1?arch=arm64"


@pytest.mark.parametrize(
    ("version", "escaped"), [("1.2+b1", "1.2%2Bb1"), ("1:2~rc", "1:2~rc")]
)
def test_a_version_is_escaped_in_a_url(version: str, escaped: str) -> None:
    assert Package("pypi", "a", version).url == f"pkg:pypi/a@{escaped}"


def test_a_distribution_has_its_normal_name_and_its_license() -> None:
    text = "Name: Jaraco.Context\nVersion: 6.1\nLicense-Expression: MIT\n\nName: x\n"

    assert parse_metadata(text) == Package("pypi", "jaraco-context", "6.1", "MIT")


def test_an_upper_layer_replaces_what_a_lower_one_describes(tmp_path: Path) -> None:
    path = "var/lib/dpkg/status"
    archive = image(tmp_path, {path: status("old")}, {path: status("new")})

    assert [package.name for package in read_packages(archive)] == ["new"]


@pytest.mark.parametrize(
    "whiteout",
    [
        pytest.param("site-packages/a-1.dist-info/.wh.METADATA", id="a file"),
        pytest.param("site-packages/.wh.a-1.dist-info", id="a folder"),
        pytest.param("site-packages/.wh..wh..opq", id="all that lower layers have"),
    ],
)
def test_what_an_upper_layer_removes_is_not_listed(
    tmp_path: Path, whiteout: str
) -> None:
    archive = image(tmp_path, {METADATA: "Name: a\nVersion: 1\n"}, {whiteout: ""})

    assert read_packages(archive) == []


def test_a_bill_lists_each_package_as_part_of_the_image() -> None:
    package = Package("pypi", "kopf", "1.45.2", "MIT")

    bill = json.loads(write_document(build_document(SUBJECT, [package])))

    whole, part = bill["packages"]
    assert whole["primaryPackagePurpose"] == "CONTAINER"
    assert (part["name"], part["versionInfo"], part["licenseDeclared"]) == (
        *("kopf", "1.45.2", "MIT"),
    )
    assert part["externalRefs"][0]["referenceLocator"] == "pkg:pypi/kopf@1.45.2"
    contains = [r for r in bill["relationships"] if r["relationshipType"] == "CONTAINS"]
    assert [(r["spdxElementId"], r["relatedSpdxElement"]) for r in contains] == [
        (whole["SPDXID"], part["SPDXID"])
    ]


@pytest.mark.parametrize("expression", ["", "BSD, mostly", "LicenseRef-own OR MIT"])
def test_a_license_that_spdx_does_not_know_is_not_asserted(expression: str) -> None:
    bill = build_document(SUBJECT, [Package("pypi", "a", "1", expression)])

    assert json.loads(write_document(bill))["packages"][1]["licenseDeclared"] == (
        "NOASSERTION"
    )


def test_equal_images_have_equal_bills() -> None:
    packages = [Package("pypi", "a", "1"), Package("deb/debian", "a", "1")]

    bills = [write_document(build_document(SUBJECT, packages)) for _ in range(2)]

    assert bills[0] == bills[1]
    assert b'"created": "2023-11-14T22:13:20Z"' in bills[0]
