"""What the words of a command line mean: arguments of a tool, a token, an address."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mcphub_cli.errors import UsageError

_VISIBLE = re.compile(r"[\x21-\x7e]*")
_DURATION = re.compile(r"(\d+(\.\d+)?(h|m|s|ms))+")


@dataclass(frozen=True, slots=True)
class GivenArguments:
    """The arguments of a call, before the tool's schema is known."""

    words: Mapping[str, str]
    document: Mapping[str, Any]

    def fit(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return them as a tool takes them; words win over the document.

        Raises:
            UsageError: a value is not of the type that the tool takes.
        """
        words = {
            name: _parse_value(name, text, _find_types(schema, name))
            for name, text in self.words.items()
        }
        return {**self.document, **words}


def read_arguments(words: Sequence[str], document: str) -> GivenArguments:
    """Read the arguments of a call.

    Args:
        words: `name=value`; a value is text where the tool takes text, else JSON.
        document: A JSON object with more of them; "" for none.

    Raises:
        UsageError: a word or the document cannot be read.
    """
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError(f"{word!r} is no argument; write name=value")
        if name in given:
            raise UsageError(f"{name} is given twice; a list is one value of JSON")
        given[name] = value
    return GivenArguments(given, _parse_document(document))


def find_token_flaw(token: str) -> str:
    """Return why no header carries a token; "" if nothing is wrong with it."""
    if _VISIBLE.fullmatch(token):
        return ""
    return "holds a space, a line break or a letter beyond ASCII"


def check_address(url: str) -> None:
    """Raise UsageError unless a text is an address of http or https."""
    try:
        address = urlsplit(url)
        is_good = address.scheme in ("http", "https") and bool(address.hostname)
    except ValueError:
        is_good = False
    if not is_good or _VISIBLE.fullmatch(url) is None:
        raise UsageError(f"{url!r} is not an http or https address")


def check_duration(option: str, text: str) -> None:
    """Raise UsageError unless kubectl takes a text as a duration."""
    if not _DURATION.fullmatch(text):
        raise UsageError(f"{option} takes a duration, such as 10m or 2h, not {text!r}")


def _parse_document(document: str) -> dict[str, Any]:
    try:
        parsed = json.loads(document or "{}")
    except ValueError as error:
        raise UsageError(f"The arguments are no JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise UsageError('The arguments are no JSON object, such as {"limit": 5}')
    return parsed


def _find_types(schema: Mapping[str, Any], name: str) -> set[str]:
    """Return the types that a property may have; empty if the schema names none."""
    found = (schema.get("properties") or {}).get(name) or {}
    return {
        str(each["type"])
        for each in (found, *found.get("anyOf", ()))
        if isinstance(each.get("type"), str)
    }


def _parse_value(name: str, text: str, types: set[str]) -> Any:
    if not types or types <= {"string", "null"}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        if "string" in types:
            return text
        wanted = " or ".join(sorted(types))
        raise UsageError(f"{name} takes {wanted}, not {text!r}") from None
