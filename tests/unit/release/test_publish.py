"""What is published, said before anything is built: names, labels, and refusals."""

import argparse
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tools.cluster.baseimage import BASE_NAME
from tools.cluster.errors import BadInput
from tools.cluster.images import full_name
from tools.project import ROOT
from tools.release.checkout import Checkout, parse_remote, read_checkout
from tools.release.publish import (
    Publication,
    build_requests,
    parse_architectures,
    read_publication,
)
from tools.release.registry import (
    RegistryRefused,
    is_absent,
    read_reason,
    run_against,
)
from tools.release.signing import read_key
from tools.release.version import IMAGES, Release

CHECKOUT = Checkout("0123456789ab", "0123456789abcdef", 1_700_000_000, "https://x/y")
DOCKERFILES = (
    "Dockerfile.operator",
    "Dockerfile.server",
    "examples/trial/postgres/Dockerfile",
)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def arguments(**given: str) -> argparse.Namespace:
    names = ("registry", "version", "architectures", "base", "key")
    return argparse.Namespace(**dict.fromkeys(names, "") | given)


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_labelled_with_its_source_and_time(name: str) -> None:
    publication = Publication(Release("1.2.3", "r.example.com"), CHECKOUT)

    (request,) = build_requests(name, publication)

    assert request.arguments == {
        "VERSION": "1.2.3",
        "REVISION": "0123456789abcdef",
        "CREATED": "2023-11-14T22:13:20+00:00",
        "SOURCE": "https://x/y",
    }
    text = request.dockerfile.read_text()
    assert all(f"ARG {argument}" in text for argument in request.arguments)


def test_both_dockerfiles_name_one_base() -> None:
    publication = Publication(Release("1.2.3", "r.example.com"), CHECKOUT)
    texts = [
        request.dockerfile.read_text()
        for name in IMAGES
        for request in build_requests(name, publication)
    ]

    lines = [line for text in texts for line in text.splitlines()]

    assert len({line for line in lines if line.startswith("ARG BASE=")}) == 1
    assert {line for line in lines if line.startswith("FROM ")} == {
        "FROM ${BASE} AS build",
        "FROM ${BASE}",
    }


@pytest.mark.parametrize("path", DOCKERFILES)
def test_a_base_that_is_made_here_stands_in_for_every_dockerfile(path: str) -> None:
    """buildah finds the base under this name alone: it pulls nothing."""
    text = (ROOT / path).read_text()

    named = re.findall(r"^(?:ARG BASE=|FROM )(?!\$)(\S+)", text, re.MULTILINE)

    assert [full_name(name) for name in named] == [BASE_NAME]


def test_a_commit_identifies_a_clean_checkout(repository: Path) -> None:
    checkout = read_checkout(repository, NOW)

    assert checkout.revision.startswith(checkout.tag)
    assert len(checkout.revision) == 40


def test_the_time_identifies_sources_outside_git(tmp_path: Path) -> None:
    assert read_checkout(tmp_path, NOW).tag == "20260102-030405"


def test_a_dirty_checkout_is_refused_with_its_first_file(repository: Path) -> None:
    (repository / "file").write_text("two")

    with pytest.raises(BadInput, match="1 uncommitted changes, the first is 'file'"):
        read_checkout(repository, NOW)


def test_a_missing_registry_is_refused() -> None:
    with pytest.raises(BadInput, match="REGISTRY= is missing"):
        read_publication(arguments())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(None, "cannot be read", id="no file"),
        pytest.param(
            "-----BEGIN PRIVATE KEY-----", "is not a private key as", id="PEM"
        ),
        pytest.param(
            "-----BEGIN PUBLIC KEY-----", "is not a private key as", id="public"
        ),
    ],
)
def test_a_key_that_cannot_sign_is_refused_with_its_name(
    tmp_path: Path, text: str | None, says: str
) -> None:
    path = tmp_path / "cosign.key"
    if text:
        path.write_text(text)

    with pytest.raises(BadInput, match=f"^KEY={path} {says}"):
        read_key(path, {})


@pytest.mark.parametrize("maker", ["SIGSTORE", "COSIGN"])
def test_a_key_does_not_show_its_passphrase(tmp_path: Path, maker: str) -> None:
    path = tmp_path / "cosign.key"
    path.write_text(f"-----BEGIN ENCRYPTED {maker} PRIVATE KEY-----")

    key = read_key(path, {"COSIGN_PASSWORD": "hidden"})

    assert key.passphrase == "hidden"
    assert "hidden" not in repr(key)


def test_another_version_than_the_checkouts_is_refused() -> None:
    with pytest.raises(BadInput, match=r"VERSION=9\.9\.9 is not the version of this"):
        read_publication(arguments(registry="r.example.com", version="9.9.9"))


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://user:secret@git.example.com/a/b.git", "https://git.example.com/a/b"),
        ("git@git.example.com:a/b.git", "https://git.example.com/a/b"),
        ("ssh://git@git.example.com/a/b", "https://git.example.com/a/b"),
        ("/srv/repository", ""),
    ],
)
def test_the_source_is_an_address_without_credentials(
    remote: str, address: str
) -> None:
    assert parse_remote(remote) == address


def test_a_registry_that_does_not_answer_is_one_sentence() -> None:
    with pytest.raises(RegistryRefused) as caught:
        run_against("r.example.com/a:1", ["sleep", "infinity"], 0.01)

    assert (
        str(caught.value)
        == "r.example.com gave no answer for r.example.com/a:1 within 0 s"
    )


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ('time="x" level=fatal msg="not \\"here\\""', 'not "here"'),
        ("Error: unauthorized.", "unauthorized"),
        ("Error: a\nmain.go:7: error during command execution: denied", "denied"),
        ("", "no reason given"),
    ],
)
def test_a_program_is_quoted_with_its_last_sentence(printed: str, reason: str) -> None:
    assert read_reason(printed) == reason


@pytest.mark.parametrize(
    ("text", "architectures"),
    [
        ("", ("",)),
        ("amd64 arm64", ("amd64", "arm64")),
        ("arm64, amd64,arm64", ("arm64", "amd64")),
    ],
)
def test_each_architecture_is_built_once(
    text: str, architectures: tuple[str, ...]
) -> None:
    assert parse_architectures(text) == architectures


@pytest.mark.parametrize("text", ["amd46", "amd64 linux/arm64", "x86_64"])
def test_an_unknown_architecture_is_refused_with_those_that_there_are(
    text: str,
) -> None:
    wrong = text.rpartition(" ")[2]

    with pytest.raises(BadInput) as caught:
        parse_architectures(text)

    said = f"ARCHITECTURES= names {wrong!r}; there are amd64 and arm64"
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "reason",
    [
        pytest.param("reading manifest 1 in r/a: manifest unknown", id="a tag"),
        pytest.param("reading manifest 1 in r/a: name unknown: x", id="a name"),
        pytest.param("unknown: repository team/a not found", id="Harbor's name"),
        pytest.param("unknown: artifact team/a:1 not found", id="Harbor's tag"),
    ],
)
def test_an_image_is_absent_if_the_registry_says_so(reason: str) -> None:
    assert is_absent(reason)


@pytest.mark.parametrize(
    "reason",
    [
        "authentication required",
        "dial tcp: lookup r: no such host",
        "unexpected HTTP status: 503 Service Unavailable",
    ],
)
def test_an_image_is_not_absent_for_another_reason(reason: str) -> None:
    assert not is_absent(reason)
