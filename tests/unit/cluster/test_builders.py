"""How docker and podman are told what to build, seen by a program in their place."""

from pathlib import Path

import pytest

from tools.cluster.builders import EngineBuilder
from tools.cluster.images import BuildRequest

ENGINE = """#!/bin/sh
echo "$@" >> "$0.log"
if [ "$1" = save ]; then echo saved > "$3"; fi
"""


def build(engine: str, folder: Path, timestamp: int | None) -> str:
    """Build an image, and return the command that built it."""
    program = folder / engine
    program.write_text(ENGINE)
    program.chmod(0o755)
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text("FROM scratch\n")
    request = BuildRequest("web", dockerfile, folder, timestamp=timestamp)

    EngineBuilder(engine).build(request, "web:dev", folder / "web.tar")

    assert (folder / "web.tar").read_text() == "saved\n"
    return (folder / f"{engine}.log").read_text().splitlines()[0]


@pytest.mark.parametrize(
    ("engine", "option"),
    [
        ("docker", "--build-arg=SOURCE_DATE_EPOCH=1700000000"),
        ("podman", "--timestamp=1700000000"),
    ],
)
def test_an_image_of_a_commit_is_dated_as_the_engine_understands(
    engine: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    command = build(engine, tmp_path, 1_700_000_000)

    assert option in command.split()


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_an_image_outside_a_release_has_the_time_of_now(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    command = build(engine, tmp_path, None)

    assert "timestamp" not in command
    assert "SOURCE_DATE_EPOCH" not in command
