"""The pattern of a search for names, for Python and for SQL.

A part of a name, or a glob of `*` and `?` for all of it; letters in any case. Nothing
that a caller writes can make matching slow: the texts are short, and a star never tries
the stars before it again.
"""

import fnmatch
import re
from dataclasses import dataclass
from functools import cached_property

from mcphub_server.errors import BadArgument

LONGEST_PATTERN = 128
MOST_STARS = 8
_STARS = frozenset("*?")
_LIKE = {"\\": "\\\\", "%": "\\%", "_": "\\_"}
_GLOB = {"*": "%", "?": "_"}


@dataclass(frozen=True)
class NamePattern:
    """A checked pattern."""

    text: str

    @property
    def is_glob(self) -> bool:
        """Return whether it stands for whole names."""
        return not _STARS.isdisjoint(self.text)

    @property
    def is_qualified(self) -> bool:
        """Return whether it also matches what stands before a name and a dot."""
        return "." in self.text

    @property
    def like(self) -> str:
        r"""Return it for ILIKE with the escape `\`."""
        if not self.is_glob:
            return f"%{''.join(_LIKE.get(each, each) for each in self.text)}%"
        return "".join(_GLOB.get(each) or _LIKE.get(each, each) for each in self.text)

    def matches(self, name: str, container: str = "") -> bool:
        """Return whether a name matches, by itself or behind its container."""
        if self.is_qualified and container and self._finds(f"{container}.{name}"):
            return True
        return self._finds(name)

    def _finds(self, name: str) -> bool:
        if self.is_glob:
            return self._whole.match(name.casefold()) is not None
        return self.text.casefold() in name.casefold()

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        return re.compile(fnmatch.translate(self.text.casefold().replace("[", "[[]")))


def parse_pattern(text: str) -> NamePattern:
    """Return a pattern; raise BadArgument for any other text."""
    pattern = re.sub(r"\*+", "*", text.strip())
    if not pattern or len(pattern) > LONGEST_PATTERN or not pattern.isprintable():
        raise BadArgument(
            "pattern takes a part of a name, such as order, or a glob for the whole "
            f"name, such as *_id; at most {LONGEST_PATTERN} characters."
        )
    if pattern.count("*") > MOST_STARS:
        raise BadArgument(f"pattern takes at most {MOST_STARS} stars.")
    return NamePattern(pattern)
