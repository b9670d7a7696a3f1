"""Statements and searches that users write every day, as data under tests/ordinary.

What the guards refuse of them costs a user as much as a hole. The schemas beside them
are small versions of well-known example databases.
"""

import re
from typing import Any

import yaml

from tools.project import ROOT

FOLDER = ROOT / "tests" / "ordinary"
END = re.compile(r";[ \t]*\n")


def read_statements(name: str) -> list[str]:
    """Return a file's statements; each ends with a semicolon at the end of a line."""
    parts = END.split((FOLDER / name).read_text(encoding="utf-8"))
    return [part.strip() for part in parts if part.strip()]


def read_searches() -> list[dict[str, Any]]:
    """Return the arguments of each search in Qdrant."""
    return _read_arguments("qdrant.yaml")


def read_finds() -> list[dict[str, Any]]:
    """Return the arguments of each filter and pipeline for MongoDB."""
    return _read_arguments("mongodb.yaml")


def _read_arguments(name: str) -> list[dict[str, Any]]:
    text = (FOLDER / name).read_text(encoding="utf-8")
    read: list[dict[str, Any]] = yaml.load(text, yaml.CSafeLoader)
    return read
