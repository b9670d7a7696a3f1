"""The tutorial of governed access, followed in the quickstart's namespace."""

import sys
from pathlib import Path

from tests.support.doc_blocks import Reader
from tests.support.installation import Installation
from tools.project import DOCS, ROOT


def test_governed(installation: Installation, tmp_path: Path):
    """The page works in the quickstart's namespace, as does its reader."""
    environment = installation.build_environment(tmp_path)
    environment["PATH"] += f":{Path(sys.executable).parent}"  # kubectl-mcphub
    printed = []

    for block, said in Reader(ROOT, environment).follow(DOCS / "governed.md"):
        printed.append(f"$ {block.text}{said}")

    ready, seen, refused, logged, changed = map(printed.__getitem__, (3, 4, 5, 6, 7))
    assert "2 of 2 tools are ready" in ready
    acme, globex, auditor = seen.split("No light in room 4")[0], seen, seen
    assert "The printer is on fire" in acme
    assert "No light in room 4" in globex
    assert "globex" in auditor
    assert "tickets_per_tenant" in refused
    assert "forbidden" in logged
    assert "1" in changed
    installation.kubectl("delete", "mcphub", "governed")
    installation.kubectl("delete", "secret", "governed-clients", "governed-credentials")
