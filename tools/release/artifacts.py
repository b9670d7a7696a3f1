"""Attaches files to images of a registry, as OCI 1.1 defines it: by a manifest whose
`subject` is the image.

Registries with the referrers API list such manifests themselves. For others the
distribution specification names an index under a tag made of the image's digest; it is
written always, since skopeo does not tell which kind a registry is.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.release.registry import find_manifest, push_index, push_manifest

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
SPDX = "application/spdx+json"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a registry calls content by: its type, digest and size."""

    media_type: str
    digest: str
    size: int

    def as_json(self) -> dict[str, Any]:
        """Return it as manifests write it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


def describe(media_type: str, content: bytes) -> Descriptor:
    """Return the descriptor of some content."""
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Descriptor(media_type, digest, len(content))


def parse_index(text: bytes) -> list[Descriptor]:
    """Return the manifests that an index lists, in its order."""
    return [
        Descriptor(entry["mediaType"], entry["digest"], entry["size"])
        for entry in json.loads(text)["manifests"]
    ]


def attach(
    repository: str, subject: Descriptor, media_type: str, content: bytes
) -> Descriptor:
    """Attach a file to an image of a repository; return the manifest that does.

    Raises:
        RegistryRefused: the registry did not take it.
    """
    payload = describe(media_type, content)
    empty = describe(EMPTY, b"{}")
    text = _encode(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": media_type,
            "config": empty.as_json(),
            "layers": [payload.as_json()],
            "subject": subject.as_json(),
        }
    )
    manifest = describe(MANIFEST, text)
    with tempfile.TemporaryDirectory(prefix="mcphub-artifact-") as folder:
        layout = Path(folder)
        _write_layout(layout, manifest, [b"{}", content, text])
        push_manifest(layout, f"{repository}@{manifest.digest}")
    _add_referrer(repository, subject, manifest, media_type)
    return manifest


def _add_referrer(
    repository: str, subject: Descriptor, manifest: Descriptor, media_type: str
) -> None:
    """Add a manifest to the index of those that refer to an image."""
    name = f"{repository}:{subject.digest.replace(':', '-')}"
    known = find_manifest(name)
    entries = json.loads(known)["manifests"] if known else []
    if manifest.digest in {entry["digest"] for entry in entries}:
        return
    entries.append({**manifest.as_json(), "artifactType": media_type})
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    push_index(_encode(index), name)


def _write_layout(layout: Path, manifest: Descriptor, blobs: Iterable[bytes]) -> None:
    """Write an OCI layout that holds one manifest."""
    folder = layout / "blobs" / "sha256"
    folder.mkdir(parents=True)
    for blob in blobs:
        (folder / hashlib.sha256(blob).hexdigest()).write_bytes(blob)
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    index = {"schemaVersion": 2, "manifests": [manifest.as_json()]}
    (layout / "index.json").write_bytes(_encode(index))


def _encode(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
