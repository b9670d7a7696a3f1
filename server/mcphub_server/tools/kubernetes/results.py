"""Summaries, lines and descriptions, fitted to the bytes of an answer."""

from collections.abc import Sequence
from typing import Any

from mcphub_server.results.cells import cut_text, cut_value, encode_json

ENVELOPE_BYTES = 512
LONGEST_LINE_BYTES = 4_096
MAX_PART_BYTES = 131_072


def fit_items(
    items: Sequence[dict[str, Any]], max_bytes: int, *, more: bool
) -> dict[str, Any]:
    """Return as many leading items as fit."""
    room = max_bytes - ENVELOPE_BYTES
    fitting = []
    for item in items:
        room -= len(encode_json(item)) + 1
        if room < 0:
            break
        fitting.append(item)
    cut = more or len(fitting) < len(items)
    return {"items": fitting, "total": len(items), "truncated": cut}


def fit_lines(
    body: bytes, contains: str | None, max_bytes: int, *, more: bool
) -> tuple[list[str], bool]:
    """Return the last lines that fit; a log's newest lines matter most."""
    lines = body.decode(errors="replace").splitlines()
    wanted = [line for line in lines if not contains or contains in line]
    room, kept, cut = max_bytes - ENVELOPE_BYTES, list[str](), more
    for line in reversed(wanted):
        short = cut_text(line, LONGEST_LINE_BYTES)
        room -= len(encode_json(short)) + 1
        if room < 0:
            return kept[::-1], True
        cut = cut or short is not line
        kept.append(short)
    return kept[::-1], cut


def fit_description(shown: dict[str, Any], max_bytes: int) -> dict[str, Any]:
    """Return an object; spec and status become text where they are too large."""
    share = min(MAX_PART_BYTES, (max_bytes - ENVELOPE_BYTES) // 2)
    cut = {key: cut_value(value, share) for key, value in shown.items()}
    return {**cut, "truncated": cut != shown}
