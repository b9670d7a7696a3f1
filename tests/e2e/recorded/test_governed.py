"""The tutorial of governed access, followed in the quickstart's namespace."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.doc_blocks import Reader
from tests.support.installation import Installation
from tools.project import DOCS, ROOT

UNDO = """
DROP SCHEMA desk CASCADE;
DROP OWNED BY hub_reader;
DROP ROLE hub_reader, desk_tenant, desk_auditor;
"""
"""Takes away what the page's reader made in the database."""


@pytest.fixture
def desk(installation: Installation) -> Iterator[Installation]:
    """The quickstart's installation, which other modules use after this one."""
    yield installation
    installation.psql(UNDO)
    secrets = ("--ignore-not-found", "governed-clients", "governed-credentials")
    installation.kubectl("delete", "mcphub", "governed", "--ignore-not-found")
    installation.kubectl("delete", "secret", *secrets)


def test_governed(desk: Installation, tmp_path: Path):
    """The page works in the quickstart's namespace, as does its reader."""
    environment = desk.build_environment(tmp_path)
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
