"""Builds the documentation site from the Markdown pages of the whole repository.

Pages keep their paths, so their links to each other work on the site, on a forge and in
an editor. A link to a file that is no page leads to the source, if the checkout has a
public remote; else it becomes plain text. The navigation is the map in docs/README.md.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.cluster.commands import run, succeeds
from tools.project import ROOT
from tools.release.checkout import parse_remote

PAGES = ("*.md", "docs/**/*.md", "examples/README.md", "charts/mcphub/README.md")
CLUSTER_PAGE = "tools/cluster/README.md"
PICTURES = Path("docs/pictures")
MAP = "docs/README.md"
LAST_SECTION = "Engineering notes"
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")


def find_pages(root: Path) -> Iterator[Path]:
    """Yield the path of each page, relative to the root."""
    for pattern in (*PAGES, CLUSTER_PAGE):
        yield from (path.relative_to(root) for path in sorted(root.glob(pattern)))


def rewrite_links(text: str, page: Path, pages: set[Path], source: str) -> str:
    """Lead the links that do not go to a page to the source, or make them text."""

    def replaced(match: re.Match[str]) -> str:
        words, link = match[1], match[2]
        if link.startswith(("http:", "https:", "mailto:", "#")):
            return match[0]
        path, _, anchor = link.partition("#")
        target = Path(os.path.normpath(page.parent / path))
        if target in pages:
            return match[0]
        if target / "README.md" in pages:
            return (
                f"[{words}]({path.rstrip('/')}/README.md{'#' * bool(anchor)}{anchor})"
            )
        return f"[{words}]({source}/blob/main/{target})" if source else words

    return LINK.sub(replaced, text)


def build_navigation(text: str) -> list[dict[str, list[dict[str, str]]]]:
    """Return the sections of the map, and the pages in the first column of each."""
    sections = []
    for heading, body in re.findall(r"(?ms)^## ([^\n]+)\n(.*?)(?=^## |\Z)", text):
        rows = re.findall(r"(?m)^\| ([^|]*\]\([^|]*) \|", body)
        links = [link for row in rows for link in LINK.findall(row)]
        sections.append({heading: list(_list_pages(links))})
        if heading == LAST_SECTION:
            break
    return sections


def _list_pages(links: list[tuple[str, str]]) -> Iterator[dict[str, str]]:
    """Yield title and path of each page; a link into a page is for its own table."""
    for title, link in links:
        path, _, anchor = link.partition("#")
        page = os.path.normpath(Path(MAP).parent / path)
        if not anchor or page == "README.md":
            yield {title: page}


def collect(root: Path, target: Path, source: str) -> None:
    """Copy all pages and pictures to a folder, with links that work there."""
    shutil.rmtree(target, ignore_errors=True)
    pages = set(find_pages(root))
    for page in pages:
        written = target / page
        written.parent.mkdir(parents=True, exist_ok=True)
        text = (root / page).read_text()
        written.write_text(rewrite_links(text, page, pages, source))
    shutil.copytree(root / PICTURES, target / PICTURES)


def find_source(root: Path) -> str:
    """Return the public address of the repository; empty: it has none."""
    remote = ["git", "-C", str(root), "remote", "get-url", "origin"]
    return parse_remote(run(remote).strip()) if succeeds(remote) else ""


def build(root: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Build folder/site from folder/pages; every warning is an error.

    Broken links and anchors are warnings.
    """
    settings = folder / "mkdocs.yml"
    sections = build_navigation((root / MAP).read_text())
    navigation = [*sections, {"Map of all pages": MAP}]
    inherited = {"INHERIT": os.path.relpath(root / "mkdocs.yml", folder)}
    folders = {"docs_dir": "pages", "site_dir": "site"}
    settings.write_text(json.dumps(inherited | folders | {"nav": navigation}))
    words = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    return subprocess.run(
        [*words, "--config-file", settings],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )


def main() -> int:
    """Collect the pages and build the site."""
    folder = ROOT / "build"
    collect(ROOT, folder / "pages", find_source(ROOT))
    done = build(ROOT, folder)
    said = [line for line in done.stderr.splitlines() if not line.startswith("INFO")]
    sys.stderr.writelines(f"{line}\n" for line in said)
    print("build/site/index.html" if not done.returncode else "the site is not built")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
