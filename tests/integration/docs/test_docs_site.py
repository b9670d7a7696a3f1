"""The documentation site builds from the pages, and a broken link stops it."""

from pathlib import Path

import pytest

from tools.docs_site import MAP, build, build_navigation, collect, rewrite_links
from tools.project import ROOT

PAGES = {Path("docs/a.md"), Path("README.md"), Path("examples/README.md")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    collect(ROOT, tmp_path / "pages", "")
    return tmp_path


def test_the_site_has_every_page_of_the_map(folder: Path) -> None:
    done = build(ROOT, folder)

    assert not done.returncode, done.stderr
    assert (folder / "site" / "docs" / "installing" / "index.html").exists()


@pytest.mark.parametrize("link", ["gone.md", "installing.md#gone"])
def test_a_broken_link_stops_the_site(folder: Path, link: str) -> None:
    page = folder / "pages" / "docs" / "alerts.md"
    page.write_text(f"{page.read_text()}\n[broken]({link})\n")

    done = build(ROOT, folder)

    assert done.returncode
    assert "gone" in done.stderr


def test_the_navigation_is_the_map_of_all_pages() -> None:
    sections = build_navigation((ROOT / MAP).read_text())

    assert [title for section in sections for title in section] == [
        "Tutorial",
        "How-to guides",
        "Reference",
        "Explanation",
        "Engineering notes",
    ]
    pages = [
        p for s in sections for links in s.values() for d in links for p in d.values()
    ]
    assert "docs/installing.md" in pages
    assert [page for page in pages if not (ROOT / page).is_file()] == []


@pytest.mark.parametrize(
    ("link", "rewritten"),
    [
        pytest.param("[a](a.md#x)", "[a](a.md#x)", id="a page"),
        pytest.param("[a](../examples)", "[a](../examples/README.md)", id="a folder"),
        pytest.param("[a](../x/b.py)", "[a](https://h/r/blob/main/x/b.py)", id="code"),
        pytest.param("[a](https://h/x)", "[a](https://h/x)", id="an address"),
    ],
)
def test_links_that_lead_to_no_page_lead_to_the_source(
    link: str, rewritten: str
) -> None:
    assert rewrite_links(link, Path("docs/b.md"), PAGES, "https://h/r") == rewritten


def test_without_a_public_source_such_a_link_is_text() -> None:
    assert rewrite_links("[a `b`](../x/b.py)", Path("docs/b.md"), PAGES, "") == "a `b`"
