"""Descriptions of a catalog, fitted into the bytes that an answer may have.

Texts that people wrote (comments, defaults, definitions) are shortened before any
item is left out: what a table has is worth more than what is said of it.
"""

from collections.abc import Sequence
from typing import Any

from mcphub_server.results.cells import cut_text, encode_json

MAX_TEXT_BYTES = 2_048
_SHORTER_TEXT_BYTES = (MAX_TEXT_BYTES, 512, 128)
"""The least is still longer than any two names."""


def cut_texts(value: Any, max_bytes: int) -> Any:
    """Return plain JSON with each text cut to at most `max_bytes` bytes."""
    if isinstance(value, str):
        return cut_text(value, max_bytes)
    if isinstance(value, list):
        return [cut_texts(item, max_bytes) for item in value]
    if isinstance(value, dict):
        return {key: cut_texts(item, max_bytes) for key, item in value.items()}
    return value


def fit_items(
    items: Sequence[dict[str, Any]], max_bytes: int, at_least: int = 1
) -> list[dict[str, Any]]:
    """Return the leading items whose JSON fits.

    The first `at_least` are there in any case, with their texts as short as they get.
    """
    fitting: list[dict[str, Any]] = []
    used = 2
    for item in items:
        cut = cut_texts(item, MAX_TEXT_BYTES)
        used += len(encode_json(cut)) + 1
        if used > max_bytes:
            break
        fitting.append(cut)
    rest = items[len(fitting) : at_least]
    return fitting + [cut_texts(item, _SHORTER_TEXT_BYTES[-1]) for item in rest]


def fit_object(
    value: dict[str, Any], lists: Sequence[str], max_bytes: int
) -> dict[str, Any]:
    """Return an object whose JSON fits; `truncated` in it says that it was cut.

    Args:
        value: Plain JSON.
        lists: Its keys that hold objects, of which the last may be left out.
        max_bytes: What its JSON may have; what is in no list is there in any case.
    """
    for most in _SHORTER_TEXT_BYTES:
        cut = cut_texts(value, most)
        if cut == value and len(encode_json(cut)) <= max_bytes:
            return value
        cut["truncated"] = True
        if len(encode_json(cut)) <= max_bytes:
            return dict(cut)
    room = max_bytes - len(encode_json({**cut, **dict.fromkeys(lists, ())}))
    for key in lists:
        cut[key] = fit_items(cut[key], room, at_least=0)
        room -= len(encode_json(cut[key])) - 2
    return dict(cut)
