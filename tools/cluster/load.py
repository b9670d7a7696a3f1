"""Brings images into all nodes of a cluster at once, and only where they lack."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.cluster.archive import ImageArchive, read_archive
from tools.cluster.commands import run, succeeds
from tools.cluster.errors import BadInput
from tools.cluster.namespaces import enter, require_node_init
from tools.cluster.node import Site
from tools.cluster.plan import NodePlan
from tools.cluster.progress import say, step

IMPORT_SECONDS = 600.0
RECORD = "images.json"


def _record(site: Site, node: NodePlan) -> Path:
    return site.state.node_folder(node) / RECORD


def _held(site: Site, node: NodePlan) -> dict[str, str]:
    path = _record(site, node)
    return dict(json.loads(path.read_text())) if path.exists() else {}


def has_image(site: Site, node: NodePlan, image: ImageArchive) -> bool:
    """Tell whether a node holds this very image under all its names."""
    held = _held(site, node)
    if any(held.get(name) != image.image_id for name in image.names):
        return False
    init = require_node_init(site.state, node)
    ctr = [*enter(init, "mount"), "ctr", "--namespace", "k8s.io", "images", "ls", "-q"]
    return set(image.names) <= set(run(ctr).split())


def _import(site: Site, node: NodePlan, image: ImageArchive) -> bool:
    if has_image(site, node, image):
        return False
    init = require_node_init(site.state, node)
    ctr = [*enter(init, "mount"), "ctr", "--namespace", "k8s.io", "images", "import"]
    run([*ctr, image.path], timeout_seconds=IMPORT_SECONDS)
    held = _held(site, node) | dict.fromkeys(image.names, image.image_id)
    _record(site, node).write_text(json.dumps(held))
    return True


def _chosen(site: Site, names: list[str]) -> list[NodePlan]:
    return [site.plan.node(name) for name in names] or list(site.plan.nodes)


def load_archive(site: Site, path: Path, nodes: list[str]) -> None:
    """Load a docker archive into the named nodes, or into all."""
    image = read_archive(path)
    if not image.names:
        raise BadInput(f"{path} holds an image without a name: save it by its name")
    title = f"Loading {', '.join(image.names)}"
    with step(title), ThreadPoolExecutor(len(site.plan.nodes)) as pool:
        chosen = _chosen(site, nodes)
        fresh = list(pool.map(lambda node: _import(site, node, image), chosen))
    say(f"   {sum(fresh)} of {len(fresh)} nodes did not have it")


def save_from_engine(name: str, target: Path) -> bool:
    """Save an image that docker or podman holds to an archive."""
    return any(
        succeeds([engine, "image", "inspect", name])
        and succeeds([engine, "save", "-o", target, name], IMPORT_SECONDS)
        for engine in ("docker", "podman")
    )
