"""Reads from a registry and writes to it, by skopeo and buildah.

Both take the credentials that `skopeo login`, `podman login` or `docker login` stored,
or the file in REGISTRY_AUTH_FILE.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.cluster.errors import ClusterError
from tools.cluster.machine import install, missing_packages

PACKAGES = {"skopeo": "skopeo", "buildah": "buildah"}
LOOPBACK = re.compile(r"(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?")
# What the distribution specification says, and Harbor.
ABSENT = re.compile(
    r"manifest unknown|name unknown|repository name not known|unknown: .+ not found"
)
PREFIX = re.compile(r"^(?:main\.go:\d+: error during command execution|Error): ")
PUSH_SECONDS = 1800.0
ASK_SECONDS = 120.0


class RegistryRefused(ClusterError):
    """A registry did not do what was asked; the message is what it said."""


def ensure_tools() -> None:
    """Install the programs where they are missing."""
    install(missing_packages(PACKAGES))


def find_manifest(image: str) -> bytes | None:
    """Return the manifest, or the list, that an image's name stands for.

    Raises:
        RegistryRefused: the registry does not say.
    """
    words = ["skopeo", "inspect", "--raw", *_tls(image), f"docker://{image}"]
    try:
        return _call(words, image, ASK_SECONDS).encode()
    except RegistryRefused as error:
        if is_absent(str(error)):
            return None
        raise


def is_absent(reason: str) -> bool:
    """Tell whether a registry says that it has no such image."""
    return ABSENT.search(reason) is not None


def find_digest(image: str) -> str | None:
    """Return the digest that an image's name stands for.

    Raises:
        RegistryRefused: the registry does not say.
    """
    manifest = find_manifest(image)
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}" if manifest else None


def push_list(image: str, archives: Sequence[Path]) -> None:
    """Push one manifest list with an image for each architecture.

    Raises:
        RegistryRefused: the registry did not take it.
    """
    with tempfile.TemporaryDirectory(prefix="mcphub-push-") as folder:
        storage = ["--root", f"{folder}/root", "--runroot", f"{folder}/run"]
        manifest = ["buildah", *storage, "--storage-driver", "vfs", "manifest"]
        _call([*manifest, "create", "list"], image)
        for archive in archives:
            _call([*manifest, "add", "list", f"docker-archive:{archive}"], image)
        words = ["push", "--all", "--format", "oci", *_tls(image)]
        _call([*manifest, *words, "list", f"docker://{image}"], image)


def copy_image(source: str, target: str) -> str:
    """Give an image of a registry another tag; return its digest.

    Raises:
        RegistryRefused: the registry did not take it.
    """
    plain = [*_tls(source, "src-"), *_tls(target, "dest-")]
    with tempfile.NamedTemporaryFile(prefix="mcphub-digest-") as file:
        words = ["skopeo", "copy", "--all", f"--digestfile={file.name}", *plain]
        _call([*words, f"docker://{source}", f"docker://{target}"], target)
        return Path(file.name).read_text().strip()


def push_manifest(layout: Path, target: str) -> None:
    """Push the only manifest of an OCI layout with what it refers to.

    Raises:
        RegistryRefused: the registry did not take it.
    """
    words = ["skopeo", "copy", "--preserve-digests", *_tls(target, "dest-")]
    _call([*words, f"oci:{layout}", f"docker://{target}"], target)


def push_index(text: bytes, target: str) -> None:
    """Push an index whose manifests the registry has.

    Some versions of skopeo write it again and leave out fields that they do not know.

    Raises:
        RegistryRefused: the registry did not take it.
    """
    with tempfile.TemporaryDirectory(prefix="mcphub-index-") as folder:
        (Path(folder) / "version").write_text("Directory Transport Version: 1.1\n")
        (Path(folder) / "manifest.json").write_bytes(text)
        words = ["skopeo", "copy", "--multi-arch=index-only", *_tls(target, "dest-")]
        _call([*words, f"dir:{folder}", f"docker://{target}"], target)


def _tls(image: str, side: str = "") -> list[str]:
    """Return the option without which a registry on loopback is not spoken to."""
    is_plain = LOOPBACK.fullmatch(image.partition("/")[0]) is not None
    return [f"--{side}tls-verify=false"] if is_plain else []


def _call(words: Sequence[str], image: str, seconds: float = PUSH_SECONDS) -> str:
    done = run_against(image, words, seconds)
    if done.returncode:
        host = image.partition("/")[0]
        raise RegistryRefused(f"{host} refused {image}: {read_reason(done.stderr)}")
    return done.stdout


def run_against(
    image: str,
    words: Sequence[str | Path],
    seconds: float,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program that talks to the registry of an image.

    Raises:
        RegistryRefused: it did not end in time.
    """
    try:
        return subprocess.run(
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        host = image.partition("/")[0]
        raise RegistryRefused(
            f"{host} gave no answer for {image} within {seconds:.0f} s"
        ) from None


def read_reason(output: str) -> str:
    """Return the sentence in what skopeo, buildah or cosign printed, on one line."""
    lines = output.strip().splitlines() or ["no reason given"]
    found = re.search(r'msg="((?:[^"\\]|\\.)*)"', lines[-1])
    reason = found[1].replace('\\"', '"') if found else lines[-1]
    return PREFIX.sub("", reason).rstrip(".")
