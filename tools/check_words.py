"""Fail on words that the project does not use, in code and documentation.

Two lists. Prose: archaic or inverted English that hides the actor of a sentence.
Vocabulary: names that the code once had for things that Kubernetes, HTTP or MCP
already name. Each entry says what to write instead.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.project import ROOT

PROSE = {
    "nobody": "name the actor: no client, no replica, no user",
    "somebody": "name the actor: a user, another owner",
    "whom": "name the actor",
    "whomever": "name the actor",
    "anew": "again",
    "owes": "has a pending …",
    "owed": "pending",
    "births": "creations",
    "tells of": "describes, reports, lists",
    "tell of": "describe, report, list",
    "is none": "does not exist",
    "are none": "do not exist",
}
VOCABULARY = {
    "Newsroom": "EventRecorder",
    "Workforce": "WorkerPool",
    "Surroundings": "the caches of pods, nodes and autoscalers",
    "HealthBoard": "StatusPoller",
    "NameTaken": "AlreadyExists",
    "AlreadyChanged": "Conflict",
    "Errand": "ForwardRequest",
    "TicketGate": "PeerAuthMiddleware",
    "Greeter": "PeerAnnouncer",
    "Theater": "Runner",
    "Nursery": "ForkServer",
    "newcomer": "new session",
    "keep_only": "replace",
    "tell_failures": "map_errors",
}
SUFFIXES = frozenset(
    {".in", ".lua", ".md", ".mjs", ".py", ".sh", ".sql", ".toml", ".yaml", ".yml"}
)
NAMES = frozenset(
    {"Caddyfile", "Dockerfile", "Dockerfile.operator", "Dockerfile.server", "Makefile"}
)
LISTS = frozenset({"tools/check_words.py", "tests/unit/tools/test_check_words.py"})
"""Files that must contain the words."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A word that the project does not use, and where it is."""

    line: int
    word: str
    instead: str


def _pattern() -> re.Pattern[str]:
    """Match prose in any case as whole words, snake_case included; names anywhere.

    `is none` matches in lower case only, because Python's `is None` is not prose, and
    not in "is none of them".
    """
    words = "|".join(
        rf"{word}(?! of\b)" if word.endswith(" none") else f"(?i:{word})"
        for word in PROSE
    )
    names = "|".join(VOCABULARY)
    return re.compile(rf"(?<![A-Za-z])(?:{words})(?![A-Za-z])|{names}")


_FORBIDDEN = _pattern()


def find_words(text: str) -> Iterator[Finding]:
    """Yield the forbidden words of a text in the order of its lines."""
    for number, line in enumerate(text.splitlines(), start=1):
        for match in _FORBIDDEN.finditer(line):
            word = match[0]
            instead = VOCABULARY.get(word) or PROSE[word.lower()]
            yield Finding(number, word, instead)


def is_checked(path: str) -> bool:
    """Tell whether a file of the repository is code or documentation."""
    name = Path(path).name
    return path not in LISTS and (Path(name).suffix in SUFFIXES or name in NAMES)


def list_files(root: Path) -> list[str]:
    """List the files of the checkout that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.check_output(command, cwd=root, text=True).splitlines()
    return sorted({path for path in listed if (root / path).is_file()})


def main(root: Path = ROOT) -> int:
    """Print every finding in a checkout; return 1 if it has one."""
    found = [
        f"{path}:{finding.line}: {finding.word!r}: write {finding.instead!r}"
        for path in list_files(root)
        if is_checked(path)
        for finding in find_words((root / path).read_text(errors="replace"))
    ]
    sys.stdout.writelines(line + "\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
