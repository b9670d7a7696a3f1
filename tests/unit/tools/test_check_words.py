"""The check of words finds prose and names, and passes what only looks like them."""

import subprocess
from pathlib import Path

import pytest

from tools.check_words import Finding, find_words, is_checked, list_files, main


@pytest.mark.parametrize(
    ("text", "word"),
    [
        pytest.param("# Nobody asked.", "Nobody", id="prose in any case"),
        pytest.param("def test_nobody_leads():", "nobody", id="part of a name"),
        pytest.param("there is none", "is none", id="two words"),
        pytest.param("It tells of a hub.", "tells of", id="two words in a sentence"),
        pytest.param("class FakeNewsroom:", "Newsroom", id="a name inside another"),
        pytest.param("mcphub_newcomers_total", "newcomer", id="the name of a metric"),
    ],
)
def test_a_word_is_found(text: str, word: str) -> None:
    assert [finding.word for finding in find_words(text)] == [word]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("if value is None:", id="Python's None"),
        pytest.param("it is none of them", id="none of several"),
        pytest.param("canewood", id="a longer word"),
        pytest.param("The cache has the hub.", id="plain prose"),
    ],
)
def test_other_text_passes(text: str) -> None:
    assert list(find_words(text)) == []


def test_a_finding_has_its_line_and_what_to_write_instead() -> None:
    assert list(find_words("first\nmade anew\n")) == [Finding(2, "anew", "again")]


@pytest.mark.parametrize(
    ("path", "checked"),
    [
        pytest.param("server/mcphub_server/app.py", True, id="code"),
        pytest.param("docs/tools.md", True, id="documentation"),
        pytest.param("Dockerfile.server", True, id="a Dockerfile"),
        pytest.param("tools/check_words.py", False, id="the lists of words"),
        pytest.param("tools/cluster/binary/go.sum", False, id="data"),
    ],
)
def test_code_and_documentation_are_checked(path: str, *, checked: bool) -> None:
    assert is_checked(path) is checked


def test_new_files_are_checked_and_ignored_ones_are_not(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    for name in (".gitignore", "new.md", "ignored.md"):
        (tmp_path / name).write_text("ignored.md\n")

    assert list_files(tmp_path) == [".gitignore", "new.md"]


def test_a_finding_fails_the_check_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / "page.md").write_text("A page.\nmade anew\n")

    status = main(tmp_path)

    assert status == 1
    assert capsys.readouterr().out == "page.md:2: 'anew': write 'again'\n"
