"""What the documents show is what there is: links, files, hubs, commands."""

import ast
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcphub_operator.settings import PREFIX, Settings
from mcphub_operator.status.condition_model import Reason
from tests.support.doc_blocks import read_blocks
from tests.support.hub_api import HubApi, Refused
from tools.project import ROOT

PAGES = [
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("*.md")),
    ROOT / "examples" / "README.md",
    ROOT / "tools" / "cluster" / "README.md",
]
EACH_PAGE = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"\]\((\S+\.py)\) `(?:\w+\.)?(\w+)`")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def cases(language: str) -> list[Any]:
    return [
        pytest.param(text, id=f"{page.name} {number}")
        for page in PAGES
        for number, text in enumerate(blocks(page, language), start=1)
    ]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


FOLLOWED = [
    ROOT / "README.md",
    *(ROOT / "docs" / f"{name}.md" for name in ("installing", "databases", "clients")),
    ROOT / "docs" / "migrating.md",
    ROOT / "examples" / "README.md",
]
"""The pages that a reader follows block by block."""


@pytest.mark.parametrize("page", FOLLOWED, ids=lambda page: page.name)
def test_a_comment_before_a_block_is_known_and_says_why(page: Path) -> None:
    blocks = read_blocks(page)
    comments = re.findall(r"^<!-- (.*) -->\n```", page.read_text(), re.MULTILINE)

    assert len(comments) == len([block for block in blocks if block.note])
    assert all(block.value for block in blocks if block.note not in ("", "background"))


@EACH_PAGE
def test_links_lead_somewhere(page: Path) -> None:
    links = [x for x in LINK.findall(page.read_text()) if not x.startswith("http")]

    broken = []
    for link in links:
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("text", cases("json"))
def test_a_json_block_is_one_of_the_example_files(text: str) -> None:
    files = (ROOT / "examples" / "clients").glob("*.json")

    assert json.loads(text) in [json.loads(file.read_text()) for file in files]


@pytest.mark.parametrize("text", cases("python"))
def test_a_python_block_is_python(text: str) -> None:
    ast.parse(text)


def as_hubs(document: Any) -> list[dict[str, Any]]:
    """Return the hubs in a block, or make one of a piece of a spec."""
    if document.get("kind") == "McpHub":
        return [document]
    if "backends" in document:
        head = {"apiVersion": "mcp.bigtorig.com/v1alpha1", "kind": "McpHub"}
        return [head | {"metadata": {"name": "piece"}, "spec": document}]
    return []


@pytest.mark.parametrize(
    "text",
    # A part that begins deeper than the margin belongs to the block before it.
    [case for case in cases("yaml") if not case.values[0].startswith(" ")],
)
def test_a_hub_in_a_document_is_taken(api: HubApi, text: str) -> None:
    documents = [d for d in yaml.safe_load_all(text) if d]

    answers = [api.try_hub(hub) for d in documents for hub in as_hubs(d)]

    assert [answer for answer in answers if isinstance(answer, Refused)] == []


def test_the_embedding_endpoint_of_the_documents_fits_a_backend(api: HubApi) -> None:
    page = ROOT / "docs" / "databases.md"
    (piece,) = [text for text in blocks(page, "yaml") if text.startswith(" ")]
    (before,) = [text for text in blocks(page, "yaml") if "qdrant:" in text]

    (hub,) = as_hubs(yaml.safe_load(before + piece))
    answer = api.try_hub(hub)

    assert isinstance(answer, dict)
    (backend,) = answer["spec"]["backends"]
    assert backend["qdrant"]["embedding"]["model"] == "text-embedding-3-small"


def test_settings_that_are_documented_are_settings() -> None:
    page = (ROOT / "docs" / "installing.md").read_text()
    documented = set(re.findall(r"MCPHUB_[A-Z_]+", page))

    known = {PREFIX + name.upper() for name in Settings.model_fields}

    assert documented <= known


@EACH_PAGE
def test_code_that_is_named_is_there(page: Path) -> None:
    """A link to a module with a name behind it: the module has that name."""
    missing = [
        f"{path} {name}"
        for path, name in CODE.findall(page.read_text())
        if not defines(page.parent / path, name)
    ]

    assert missing == []


def test_every_reason_of_a_condition_is_explained() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()

    assert [reason for reason in Reason if f"`{reason}`" not in text] == []


@pytest.mark.parametrize("package", ["operator", "server"])
def test_the_layers_of_the_architecture_are_the_contract(package: str) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    drawn = text.partition(f"### {package.title()}\n\n```\n")[2].partition("```")[0]
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    contracts = {c["id"]: c for c in settings["importlinter"]["contracts"]}

    layers = [re.split(r"\s{2,}", line)[0] for line in drawn.splitlines()]

    assert layers == contracts[f"{package}-layers"]["layers"]


def defines(module: Path, name: str) -> bool:
    """Tell whether a module has a class, function or constant of that name."""
    pattern = rf"^\s*(?:class|def|async def) {name}\b|^{name}\b.*= "
    return re.search(pattern, module.read_text(), re.MULTILINE) is not None


@EACH_PAGE
def test_folders_that_are_named_are_there(page: Path) -> None:
    text = page.read_text()
    named = set(re.findall(r"(?<![\w/])(?:config|examples|crds)/[\w/.-]*\w", text))
    named = {name for name in named if not name.endswith(".py")}  # the server's own

    assert {name for name in named if not (ROOT / name).exists()} == set()
