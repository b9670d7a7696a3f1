"""`make publish KEY=…`: signatures that others can check, or nothing is pushed.

Building cosign takes minutes; `make test-release` runs this.
"""

import base64
import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.registry import LoopbackRegistry
from tests.support.small_release import (
    CHECKOUT,
    Build,
    publication,
    skopeo,
    tags,
)
from tools.cluster.archive import ImageArchive
from tools.cluster.errors import BadInput
from tools.cluster.images import BuildRequest
from tools.programs.build import ensure_program
from tools.release.publish import publish
from tools.release.registry import RegistryRefused
from tools.release.signing import SigningKey, read_key
from tools.release.version import IMAGES

PASSPHRASE = "correct horse"
ARCHITECTURES = ("", "arm64")
OFFLINE = ("--insecure-ignore-tlog=true", "--output=json")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The two files that cosign writes."""

    private: Path
    public: Path

    def open(self, passphrase: str = PASSPHRASE) -> SigningKey:
        """Read the private key as `make publish` does."""
        return read_key(self.private, {"COSIGN_PASSWORD": passphrase})


def cosign(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ensure_program("cosign"), *words],
        env=os.environ | {"COSIGN_PASSWORD": PASSPHRASE},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def make_pair(folder: Path) -> KeyPair:
    folder.mkdir()
    made = cosign("generate-key-pair", f"--output-key-prefix={folder}/cosign")
    assert made.returncode == 0, made.stderr
    return KeyPair(folder / "cosign.key", folder / "cosign.pub")


@pytest.fixture
def pair(tmp_path: Path) -> KeyPair:
    return make_pair(tmp_path / "keys")


def verify(
    command: str, pair: KeyPair, image: str, *options: str
) -> list[dict[str, Any]]:
    """Return what cosign finds to be signed; nothing, if the key is another's."""
    done = cosign(command, f"--key={pair.public}", *OFFLINE, *options, image)
    if done.returncode:
        return []
    return [json.loads(line) for line in done.stdout.splitlines() if line]


def find_images(registry: LoopbackRegistry, name: str) -> list[str]:
    """Return a list, and the images in it, by their digests."""
    place = f"{registry.host}/team/{name}"
    words = ("inspect", "--raw", "--tls-verify=false", f"docker://{place}:1.2.3")
    raw = skopeo(*words).encode()
    listed = [entry["digest"] for entry in json.loads(raw)["manifests"]]
    digests = [f"sha256:{hashlib.sha256(raw).hexdigest()}", *listed]
    return [f"{place}@{digest}" for digest in digests]


def refuse_to_build(request: BuildRequest) -> ImageArchive:
    raise AssertionError(request.name)


def test_each_list_and_each_image_in_it_is_signed_by_the_key_alone(
    registry: LoopbackRegistry, build: Build, pair: KeyPair, tmp_path: Path
) -> None:
    signed = publication(registry, architectures=ARCHITECTURES, key=pair.open())
    stranger = make_pair(tmp_path / "stranger")

    list(publish(signed, build))

    images = [image for name in IMAGES for image in find_images(registry, name)]
    assert len(images) == len(IMAGES) * (1 + len(ARCHITECTURES))
    for image in images:
        ((found,),) = verify("verify", pair, image)
        digest = found["critical"]["image"]["docker-manifest-digest"]
        assert image.endswith(f"@{digest}")
        assert verify("verify", stranger, image) == []


def test_the_bill_of_each_image_is_attested(
    registry: LoopbackRegistry, build: Build, pair: KeyPair
) -> None:
    signed = publication(registry, architectures=ARCHITECTURES, key=pair.open())

    list(publish(signed, build))

    (_, *images) = find_images(registry, "mcphub-server")
    for image in images:
        (found,) = verify("verify-attestation", pair, image, "--type=spdxjson")
        statement = json.loads(base64.b64decode(found["payload"]))
        assert statement["predicateType"] == "https://spdx.dev/Document"
        names = [package["name"] for package in statement["predicate"]["packages"]]
        assert {"mcphub-server", "small-library", "libc6"} <= {*names}


def test_without_a_key_nothing_is_signed(
    registry: LoopbackRegistry, build: Build, pair: KeyPair
) -> None:
    list(publish(publication(registry), build))

    (image, *_) = find_images(registry, "mcphub-server")
    assert verify("verify", pair, image) == []


def test_a_wrong_passphrase_is_one_sentence_before_anything_is_built(
    registry: LoopbackRegistry, pair: KeyPair
) -> None:
    wrong = publication(registry, key=pair.open("wrong horse"))

    with pytest.raises(BadInput) as caught:
        list(publish(wrong, refuse_to_build))

    assert str(caught.value) == (
        f"KEY={pair.private} does not open with the passphrase in the variable"
        " COSIGN_PASSWORD"
    )


def test_an_image_that_cannot_be_signed_gets_no_tag_of_the_version(
    registry: LoopbackRegistry, build: Build, pair: KeyPair
) -> None:
    list(publish(publication(registry), build))
    (image, *_) = find_images(registry, "mcphub-server")
    digest = image.partition("@")[2].replace(":", "-")
    refuse_tag(registry, "mcphub-server", f"{digest}.sig")
    signed = publication(registry, version="1.2.4", key=pair.open())

    with pytest.raises(RegistryRefused, match=rf"^{registry.host} refused") as caught:
        list(publish(signed, build))

    assert "\n" not in str(caught.value)
    assert [tags(registry, name) - {CHECKOUT.tag} for name in IMAGES] == [
        {"1.2.3", "latest"},
        {"1.2.3", "latest"},
    ]


def refuse_tag(registry: LoopbackRegistry, name: str, tag: str) -> None:
    """Let the registry fail to set a tag: a file is where its folder would be."""
    (folder,) = registry.config.parent.rglob(f"{name}/_manifests/tags")
    (folder / tag).write_text("")
