"""A page is followed as its comments say."""

from pathlib import Path

import pytest

from tests.support.doc_blocks import Reader, read_blocks

PAGE = """# A page

<!-- file: made/hub.yaml -->
```yaml
name: EXAMPLE
```

```
cat made/hub.yaml
```

<!-- not run: there is no such program -->
```
no-such-program
```

<!-- only: others -->
```
exit 1
```

<!-- background -->
```
yes
```

```text
output
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    return page


def test_a_reader_saves_files_runs_commands_and_skips_what_is_not_meant(page: Path):
    reader = Reader(page.parent, {}, "me", {"EXAMPLE": "mine"})

    followed = [(block.note, printed) for block, printed in reader.follow(page)]

    assert followed == [("", "name: mine\n"), ("background", "")]


def test_a_command_that_fails_is_named(page: Path):
    (failing,) = [block for block in read_blocks(page) if block.note == "not run"]

    with pytest.raises(AssertionError, match=r"page\.md block 3: no-such-program"):
        Reader(page.parent, {}).run(failing)


@pytest.mark.parametrize("command", ["false", "true"])
def test_a_command_that_the_page_says_fails_has_to(tmp_path: Path, command: str):
    page = tmp_path / "page.md"
    page.write_text(f"<!-- fails -->\n```\n{command}\n```\n")
    reader = Reader(tmp_path, {})

    if command == "false":
        assert [printed for _, printed in reader.follow(page)] == [""]
    else:
        with pytest.raises(AssertionError):
            list(reader.follow(page))
