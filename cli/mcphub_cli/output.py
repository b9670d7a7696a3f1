"""What a person reads on a terminal, and what a program reads from a pipe.

Tables have kubectl's form, in a pipe too, where nothing has colours. rich is imported
by its users here only: `--help` and completion do without.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

GAP = "   "


class Format(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a value as JSON."""
    print(json.dumps(value, indent=indent, ensure_ascii=False))


def print_text(text: str, style: str = "") -> None:
    """Print a line as it is; a style shows on a terminal only."""
    from rich.console import Console  # noqa: PLC0415 - costs 60 ms

    console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
    console.print(make_printable(text), style=style or None)


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows below their heads, as `kubectl get` does."""
    print_text(format_table(head, rows))


def format_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return lines of columns; only the last column is not filled up."""
    lines = [[make_printable(cell, "") for cell in row] for row in (head, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        GAP.join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def make_printable(text: str, kept: str = "\n\t") -> str:
    """Return text without what terminals obey; rows of a database may hold it."""
    return "".join(
        each
        if each.isprintable() or each in kept
        else each.encode("unicode_escape").decode()
        for each in text
    )


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Show that something lasts, on a terminal only, until the block ends."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # noqa: PLC0415 - costs 60 ms

    with Console(stderr=True).status(text):
        yield
