"""An image under other names, as a registry would give it to the nodes."""

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path


def write_renamed(archive: Path, names: Sequence[str], target: Path) -> None:
    """Copy a docker archive of one image and give the copy other names."""
    with tarfile.open(archive) as old, tarfile.open(target, "w") as new:
        for member in old:
            content = old.extractfile(member) if member.isfile() else None
            if member.name == "manifest.json" and content is not None:
                (image,) = json.load(content)
                text = json.dumps([image | {"RepoTags": [*names]}]).encode()
                member.size, content = len(text), io.BytesIO(text)
            if member.name != "repositories":
                new.addfile(member, content)
