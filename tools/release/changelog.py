"""The sections of CHANGELOG.md: one for each version, and one for what comes next."""

from __future__ import annotations

import re
from datetime import date

from tools.cluster.errors import BadInput

NEXT = "Unreleased"
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


def find_section(text: str, title: str) -> str | None:
    """Return the text below a heading that is, or starts with, a title."""
    pieces = HEADING.split(text)
    for heading, body in zip(pieces[1::2], pieces[2::2], strict=True):
        if heading == title or heading.startswith(f"{title} "):
            return body.strip()
    return None


def release_section(text: str, version: str, today: date) -> str:
    """Give what is unreleased the heading of a version.

    Raises:
        BadInput: nothing is unreleased, or the version has a section.
    """
    if find_section(text, version) is not None:
        raise BadInput(f"CHANGELOG.md has a section for {version} already")
    if not find_section(text, NEXT):
        raise BadInput(f"CHANGELOG.md has nothing under {NEXT}")
    heading = f"## {NEXT}\n\n## {version} ({today.isoformat()})"
    return text.replace(f"## {NEXT}", heading, 1)
