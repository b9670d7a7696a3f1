"""`--check`: a table for people, an exit code for programs."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from mcphub_server.__main__ import main
from tests.support.hub import HubFiles
from tools.ports import reserve_port

from .conftest import MakeHub


@pytest.fixture(autouse=True)
def _logging_restored() -> Iterator[None]:
    """Undo what `main` sets for the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def run_check(files: HubFiles, monkeypatch: pytest.MonkeyPatch) -> int | str | None:
    files.write()
    for name, value in files.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main(["--check"])
    return ended.value.code


def test_all_is_well(
    hub_files: MakeHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = run_check(hub_files(), monkeypatch)

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines] == [
        "WHAT",
        "configuration",
        "postgres",
        "auth",
    ]
    assert "Connected" in lines[2]
    assert "1 clients" in lines[3]


def test_what_is_wrong_is_told_with_its_reason(
    hub_files: MakeHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = hub_files(backend={"port": reserve_port()}, tokens={})

    code = run_check(files, monkeypatch)

    text = capsys.readouterr().out
    assert code == 1
    assert "nothing listens at its host and port" in text
    assert "no client can authenticate" in text


def test_a_bad_setting_ends_it_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_check(HubFiles(tmp_path, {"limits": {"burst": 0}}), monkeypatch)

    assert code == 2
    assert "limits.burst is wrong" in capsys.readouterr().err


def test_declared_tools_are_tried_too(
    hub_files: MakeHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fine = {
        "name": "count_orders",
        "description": "How many orders there are.",
        "backend": "postgres",
        "statement": "SELECT count(*) FROM sales.orders",
    }
    bad = fine | {"name": "count_nothing", "statement": "SELECT count(*) FROM nothing"}
    divisor = {"name": "n", "type": "integer"}
    divides = fine | {"name": "divides", "statement": "SELECT 1 / $1"}
    asks = divides | {"name": "asks", "parameters": [divisor]}
    divides["parameters"] = [divisor | {"default": 0}]
    files = replace(hub_files(), live={"tools": [fine, bad, divides, asks]})

    code = run_check(files, monkeypatch)

    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert code == 1
    assert "ok" in lines["count_orders"].split()
    assert "ran with its defaults" in lines["count_orders"]
    assert "ok" in lines["asks"].split()
    assert "needs arguments" in lines["asks"]
    assert "failed" in lines["divides"].split()
    assert "22012" in lines["divides"]
    assert "Invalid" in lines["count_nothing"]
    assert 'relation "nothing" does not exist' in lines["count_nothing"]
