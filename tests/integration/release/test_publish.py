"""`make publish` against a real registry with a password: everything or nothing."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.registry import LoopbackRegistry, write_auth_file
from tests.support.small_release import (
    CHECKOUT,
    Build,
    manifest,
    publication,
    skopeo,
    tags,
)
from tools.cluster.archive import ImageArchive
from tools.cluster.errors import BadInput
from tools.cluster.images import BuildRequest
from tools.release.checkout import Checkout
from tools.release.publish import Publication, publish
from tools.release.registry import RegistryRefused
from tools.release.version import IMAGES, Release


def test_both_images_get_the_tags_of_commit_version_and_latest(
    registry: LoopbackRegistry, build: Build
) -> None:
    lines = list(publish(publication(registry), build))

    assert [tags(registry, name) for name in IMAGES] == [
        {CHECKOUT.tag, "1.2.3", "latest"},
        {CHECKOUT.tag, "1.2.3", "latest"},
    ]
    digests = {line.partition(":1.2.3@")[2] for line in lines if ":1.2.3@" in line}
    assert len(digests) == 2
    assert all(each.startswith("sha256:") for each in digests)


def test_a_tag_is_one_list_with_every_architecture(
    registry: LoopbackRegistry, build: Build
) -> None:
    both = publication(registry, architectures=("", "arm64"))

    list(publish(both, build))

    listed = manifest(registry, "mcphub-server:1.2.3")["manifests"]
    assert len(listed) == 2


def test_a_copy_through_a_file_is_the_same_list(
    registry: LoopbackRegistry, build: Build, tmp_path: Path
) -> None:
    """As the documentation says for networks without internet."""
    list(publish(publication(registry, architectures=("", "arm64")), build))
    source = f"docker://{registry.host}/team/mcphub-server:1.2.3"
    mirror = f"docker://{registry.host}/mirror/mcphub-server:1.2.3"
    file = f"oci-archive:{tmp_path}/server.tar"

    skopeo("copy", "--all", "--src-tls-verify=false", source, file)
    skopeo("copy", "--all", "--dest-tls-verify=false", file, mirror)

    raw = ("inspect", "--raw", "--tls-verify=false")
    assert skopeo(*raw, mirror) == skopeo(*raw, source)


def test_each_image_of_a_list_has_a_bill_of_its_packages(
    registry: LoopbackRegistry, build: Build, tmp_path: Path
) -> None:
    both = publication(registry, architectures=("", "arm64"))

    list(publish(both, build))

    listed = manifest(registry, "mcphub-server:1.2.3")["manifests"]
    bills = [read_bill(registry, image, tmp_path / image["digest"]) for image in listed]
    assert [describe_packages(bill) for bill in bills] == 2 * [
        {
            ("small-library", "1.2", "MIT OR Apache-2.0"),
            ("libc6", "2.41-12+deb13u4", "NOASSERTION"),
        }
    ]
    assert bills[0]["documentNamespace"] != bills[1]["documentNamespace"]


def read_bill(
    registry: LoopbackRegistry, image: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """Read a bill back as the distribution specification says: by the referrers."""
    (entry,) = manifest(registry, f"mcphub-server:{image['digest'].replace(':', '-')}")[
        "manifests"
    ]
    name = f"mcphub-server@{entry['digest']}"
    found = manifest(registry, name)
    assert found["artifactType"] == "application/spdx+json"
    assert found["subject"]["digest"] == image["digest"]
    source = f"docker://{registry.host}/team/{name}"
    skopeo("copy", "--src-tls-verify=false", source, f"dir:{folder}")
    (layer,) = found["layers"]
    content = (folder / layer["digest"].removeprefix("sha256:")).read_text()
    bill: dict[str, Any] = json.loads(content)
    assert bill["packages"][0]["name"] == "mcphub-server"
    return bill


def describe_packages(bill: dict[str, Any]) -> set[tuple[str, str, str]]:
    _, *packages = bill["packages"]
    return {(p["name"], p["versionInfo"], p["licenseDeclared"]) for p in packages}


def test_a_run_that_was_interrupted_between_two_tags_is_completed(
    registry: LoopbackRegistry, build: Build
) -> None:
    list(publish(publication(registry), build))
    before = manifest(registry, "mcphub-operator:1.2.3")
    forget_tag(registry, "mcphub-server", "1.2.3")
    built: list[str] = []

    def build_missing(request: BuildRequest) -> ImageArchive:
        built.append(request.name)
        return build(request)

    list(publish(publication(registry), build_missing))

    assert built == [f"mcphub-server:{CHECKOUT.tag}"]
    assert "1.2.3" in tags(registry, "mcphub-server")
    assert manifest(registry, "mcphub-operator:1.2.3") == before


def test_a_version_of_another_commit_is_never_completed(
    registry: LoopbackRegistry, build: Build
) -> None:
    list(publish(publication(registry), build))
    forget_tag(registry, "mcphub-server", "1.2.3")
    other = Publication(
        Release("1.2.3", f"{registry.host}/team"),
        Checkout("ba9876543210", "ba9876543210" + "0" * 28, 1_700_000_001, ""),
    )

    with pytest.raises(BadInput, match=r"mcphub-operator:1\.2\.3 exists"):
        list(publish(other, build))

    assert "1.2.3" not in tags(registry, "mcphub-server")


def forget_tag(registry: LoopbackRegistry, name: str, tag: str) -> None:
    """Leave the registry as a run does that ends before it sets this tag."""
    folders = (registry.auth_file.parent / "data").rglob(
        f"{name}/_manifests/tags/{tag}"
    )
    for folder in [*folders]:
        shutil.rmtree(folder)


def test_a_prerelease_is_not_the_latest(
    registry: LoopbackRegistry, build: Build
) -> None:
    list(publish(publication(registry, version="1.3.0-rc.1"), build))

    assert tags(registry, "mcphub-server") == {CHECKOUT.tag, "1.3.0-rc.1"}


def test_a_version_that_exists_is_neither_built_nor_moved(
    registry: LoopbackRegistry, build: Build
) -> None:
    list(publish(publication(registry), build))
    before = manifest(registry, "mcphub-server:1.2.3")

    def refuse(request: BuildRequest) -> ImageArchive:
        raise AssertionError(request.name)

    with pytest.raises(BadInput, match=r"mcphub-operator:1\.2\.3 exists"):
        list(publish(publication(registry), refuse))

    assert manifest(registry, "mcphub-server:1.2.3") == before


def test_a_wrong_password_is_one_sentence_before_anything_is_built(
    registry: LoopbackRegistry, build: Build
) -> None:
    write_auth_file(registry.auth_file, registry.host, "wrong")

    with pytest.raises(RegistryRefused, match=r"refused .*unauthorized") as caught:
        list(publish(publication(registry), build))

    assert "\n" not in str(caught.value)
    assert "wrong" not in str(caught.value)


def test_a_registry_that_goes_away_leaves_no_tag_of_the_version(
    registry: LoopbackRegistry, build: Build, tmp_path: Path
) -> None:
    def build_and_stop(request: BuildRequest) -> ImageArchive:
        if "server" in request.name:
            registry.stop()
        return build(request)

    with pytest.raises(RegistryRefused, match=f"^{registry.host} refused"):
        list(publish(publication(registry), build_and_stop))

    kept = (tmp_path / "data").rglob("tags")
    assert not [tag for folder in kept for tag in folder.iterdir() if tag == "1.2.3"]
