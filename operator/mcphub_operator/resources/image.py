"""What an image reference says about the version that runs."""

import re

MAX_LABEL = 63
_UNFIT = re.compile(r"[^A-Za-z0-9_.-]")


def find_tag(image: str) -> str | None:
    """Return the tag of an image reference, if it carries one."""
    name, _, _digest = image.partition("@")
    last = name.rsplit("/", 1)[-1]
    _, colon, tag = last.partition(":")
    return tag if colon and tag else None


def build_version_label(image: str, fallback: str) -> str:
    """Return a value for `app.kubernetes.io/version`."""
    text = _UNFIT.sub("-", find_tag(image) or fallback)[:MAX_LABEL]
    return text.strip("-_.") or "unknown"
