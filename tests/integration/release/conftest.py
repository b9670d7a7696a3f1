"""A registry on loopback, and small images to push to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.registry import LoopbackRegistry, open_registry
from tests.support.small_release import Build, small_builder


@pytest.fixture
def registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LoopbackRegistry]:
    with open_registry(tmp_path) as opened:
        monkeypatch.setenv("REGISTRY_AUTH_FILE", str(opened.auth_file))
        yield opened


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return small_builder(tmp_path)
