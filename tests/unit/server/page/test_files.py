"""The page's files keep to what its policy promises."""

import re
from importlib.resources import files

import pytest

from mcphub_server.page.files import MEDIA_TYPES

SCRIPT = (files("mcphub_server.page") / "page.js").read_text()
HTML = (files("mcphub_server.page") / "index.html").read_text()


@pytest.mark.parametrize(
    "way",
    [
        *("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("),
        *("localStorage", "sessionStorage", "document.cookie", "indexedDB", "import("),
    ],
)
def test_the_script_makes_no_html_of_text_and_stores_nothing(way: str) -> None:
    assert way not in SCRIPT


@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_no_file_names_another_host(name: str) -> None:
    text = (files("mcphub_server.page") / name).read_text()

    assert re.findall(r"""(?:src|href|url\()=?["']?(?:https?:)?//""", text) == []


def test_the_html_has_no_script_and_no_style_of_its_own() -> None:
    assert re.findall(r"<script(?![^>]* src=)", HTML) == []
    assert "<style" not in HTML
    assert re.findall(r"\s(on\w+|style)=", HTML) == []


def test_every_element_that_the_script_looks_up_is_there() -> None:
    named = set(re.findall(r'find\("([\w-]+)"\)', SCRIPT))

    assert named <= set(re.findall(r'id="([\w-]+)"', HTML))
