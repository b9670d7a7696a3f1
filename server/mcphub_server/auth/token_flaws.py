"""Which static tokens are refused. Pure.

A token is a password that only its length protects from being guessed. Examples and
tutorials end up in clusters, so what they print as a token is refused.
"""

import re
from collections import Counter
from collections.abc import Mapping

SHORTEST_TOKEN = 16
FEWEST_CHARACTERS = 6
"""Different ones: sixteen random hexadecimal digits have about ten."""

PLACEHOLDER = re.compile(
    r"(?:a|abc|an|api|auth|bearer|change|changed|changeit|client|default|demo|dummy|"
    r"enter|example|fake|fixme|foo|bar|generate|generated|goes|here|insert|in|it|key|"
    r"long|mcp|mcphub|hub|me|my|new|now|of|one|password|paste|placeholder|please|put|"
    r"random|real|replace|replaced|sample|secret|secure|set|some|string|test|that|the|"
    r"this|to|todo|token|use|user|value|with|x{2,}|xyz|you|your|\d)+"
)
"""What is made of nothing but such words, whatever stands between them."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
VISIBLE = re.compile(rb"[\x21-\x7e]*")


def clean_token(content: bytes) -> bytes:
    """Return a file's token without the marks and line ends that editors add."""
    return content.removeprefix(BYTE_ORDER_MARK).strip()


def find_flaws(tokens: Mapping[str, bytes]) -> dict[str, str]:
    """Return why tokens are refused, by client; the reason tells nothing of a token."""
    shared = Counter(token for token in tokens.values() if token)
    flaws: dict[str, str] = {}
    for client, token in tokens.items():
        flaw = find_flaw(token)
        if not flaw and shared[token] > 1:
            flaw = "is the token of another client, too"
        if flaw:
            flaws[client] = flaw
    return flaws


def find_flaw(token: bytes) -> str:
    """Return what is wrong with one token; empty if nothing is."""
    if not token:
        return "is empty"
    if VISIBLE.fullmatch(token) is None:
        return "contains bytes that a header cannot carry"
    if is_placeholder(token.decode("ascii")):
        return "is a placeholder"
    if len(token) < SHORTEST_TOKEN:
        return f"is shorter than {SHORTEST_TOKEN} characters"
    if len(set(token)) < FEWEST_CHARACTERS:
        return f"has fewer than {FEWEST_CHARACTERS} different characters"
    return ""


def is_placeholder(token: str) -> bool:
    """Return whether a token is what examples print in place of one."""
    words = re.sub(r"[^a-z0-9]", "", token.lower())
    return PLACEHOLDER.fullmatch(words) is not None
