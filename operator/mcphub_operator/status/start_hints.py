"""Why a container cannot be started, from the words of its runtime.

The words are long and may contain identifiers that differ at each try; what is told of
them does not.
"""

import re

ARCHITECTURE = "the image is built for another processor than the node's"
_IDENTIFIER = re.compile(r"\b[0-9a-f]{12,}\b")
_FORMAT = "exec format error"
_HINTS = (
    (ARCHITECTURE, (_FORMAT,)),
    ("a volume or a file of it cannot be mounted", ("error mounting", "mount through")),
    ("the image has no such program; check spec.image", ("executable file not found",)),
    ("its memory limit is too low to start it", ("oom-killed", "cannot allocate")),
    ("its user may not run the program", ("permission denied",)),
    (
        "the image lacks the program, or what the program needs; check spec.image",
        ("no such file or directory",),
    ),
)
"""What the words of container runtimes mean; the first that fits."""


def describe_start_error(words: str) -> str:
    """Return why a container cannot be started; the words where no hint fits."""
    lower = words.lower()
    found = (hint for hint, said in _HINTS if any(w in lower for w in said))
    return next(found, "") or _IDENTIFIER.sub("…", words)


def is_wrong_format(words: str) -> bool:
    """Tell whether a program said that the node's processor cannot run it."""
    return _FORMAT in words.lower()
