"""Understands .dockerignore files well enough to know what a build can see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


def _to_regex(pattern: str) -> re.Pattern[str]:
    """Translate Docker's patterns: `*` within a name, `**` across folders."""
    parts = re.split(r"(\*\*/?|\*|\?)", pattern.strip("/"))
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    body = "".join(words.get(part, re.escape(part)) for part in parts)
    return re.compile(f"{body}(?:/.*)?")


@dataclass(frozen=True, slots=True)
class Ignored:
    """The rules of one file, in order; the last one that matches decides."""

    rules: tuple[tuple[re.Pattern[str], bool], ...]

    @classmethod
    def parse(cls, text: str) -> Ignored:
        """Return the rules in a .dockerignore file's text."""
        lines = (line.strip() for line in text.splitlines())
        wanted = [line for line in lines if line and not line.startswith("#")]
        return cls(
            tuple(
                (_to_regex(w.removeprefix("!")), not w.startswith("!")) for w in wanted
            )
        )

    def matches(self, path: Path) -> bool:
        """Tell whether a file is kept out."""
        ignored = False
        for pattern, keeps_out in self.rules:
            if pattern.fullmatch(path.as_posix()):
                ignored = keeps_out
        return ignored

    def prunes(self, folder: Path) -> bool:
        """Tell whether a whole folder is kept out, with no exception inside."""
        has_exceptions = any(not keeps_out for _, keeps_out in self.rules)
        return not has_exceptions and self.matches(folder)
