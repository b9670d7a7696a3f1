"""A containerd store with the images that every node needs, made once and copied.

Importing takes seconds a node; a copy by hard links takes none, and the files of an
image are never written to again. Only containerd's two small databases are.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from tools.cluster.archive import ImageArchive, read_archive, write_program_archive
from tools.cluster.binaries import Binaries
from tools.cluster.commands import CONTAINED, run, succeeds
from tools.cluster.nodeconfig import PAUSE_IMAGE
from tools.cluster.places import cache_dir, drop_old, exclusive, log_dir, made
from tools.cluster.progress import run_logged

KEPT_STORES = 3
SYSTEM_IMAGE = "mcphub.test/kubernetes:1"
DATABASES = (
    "io.containerd.metadata.v1.bolt/meta.db",
    "io.containerd.snapshotter.v1.overlayfs/metadata.db",
)
# In namespaces of its own: whatever happens, no process and no mount stays.
IMPORT_SCRIPT = """set -e
root=$1; shift
mount -t tmpfs tmpfs /run
mkdir -p /run/containerd
cat > /run/config.toml <<END
version = 2
root = "$root"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
END
containerd --config /run/config.toml &
daemon=$!
until ctr version >/dev/null 2>&1; do kill -0 $daemon; sleep 0.1; done
for archive; do ctr --namespace k8s.io images import "$archive"; done
kill $daemon
wait $daemon || true
"""


def _program_archive(
    binaries: Binaries, name: str, program: str, links: Sequence[str]
) -> ImageArchive:
    folder = made(binaries.folder / "images")
    path = folder / f"{program}.tar"
    if not path.exists():
        write_program_archive(path, name, binaries.part(program), links)
    return read_archive(path)


def system_archives(binaries: Binaries) -> list[ImageArchive]:
    """Return the images of the pause program and of the add-ons."""
    parts = ("coredns", "metrics-server")
    return [
        _program_archive(binaries, PAUSE_IMAGE, "pause", ()),
        _program_archive(binaries, SYSTEM_IMAGE, "kubernetes", parts),
    ]


def store_key(archives: Sequence[ImageArchive], containerd: str) -> str:
    """Return a name for a store that holds these images."""
    words = [containerd, *sorted(archive.image_id for archive in archives)]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]


def ensure_store(archives: Sequence[ImageArchive]) -> Path:
    """Return the folder of a store that holds these images, made if missing."""
    store = cache_dir() / "stores" / store_key(archives, run(["containerd", "-v"]))
    if store.exists():
        return store
    with exclusive("stores"):
        if not store.exists():
            fresh = store.with_name(f"{store.name}.tmp")
            shutil.rmtree(fresh, ignore_errors=True)
            words: list[str | Path] = [
                "sh",
                "-c",
                IMPORT_SCRIPT,
                "import",
                made(fresh),
            ]
            run_logged(
                "Unpacking the images that every node has",
                [*CONTAINED, *words, *(a.path for a in archives)],
                log_dir() / "image-store.log",
            )
            fresh.rename(store)
            drop_old(store.parent, keep=KEPT_STORES)
    return store


def copy_store(store: Path, target: Path) -> None:
    """Give a node its own store that shares the images' files."""
    made(target.parent)
    # Across file systems there are no hard links; a plain copy does as well.
    if not succeeds(["cp", "-al", store, target], timeout_seconds=120):
        shutil.rmtree(target, ignore_errors=True)
        run(["cp", "-a", store, target], timeout_seconds=600)
        return
    for name in DATABASES:
        shared = target / name
        own = shared.with_suffix(".own")
        shutil.copy2(shared, own)
        own.replace(shared)
