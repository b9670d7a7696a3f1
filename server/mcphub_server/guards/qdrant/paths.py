"""Paths of payload fields, spelled as Qdrant reads them.

Qdrant takes letters, digits, `_` and `-` in a path as they are, and every other
character within double quotes only. A payload's field may be called `unit price`, and
hits show it so; a path with such a name has one meaning, so it is quoted here.
"""

import re

_PLAIN = re.compile(r"[\w-]+")
_SEGMENT = re.compile(r"(?P<name>[^][]+)(?P<items>(?:\[\d*\])*)")


def quote_path(path: str) -> str:
    """Return a path with the names quoted that need it; as it is if in doubt."""
    if '"' in path:
        return path
    segments = [_SEGMENT.fullmatch(each) for each in path.split(".")]
    if not all(segments):
        return path
    return ".".join(
        _quote_name(each["name"]) + each["items"] for each in segments if each
    )


def _quote_name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else f'"{name}"'
