"""The claims of a caller that the configuration names, in one comparable value.

They travel with the caller: between replicas, into cursors and event ids, and to the
database. As text they are hashable, and equal claims have equal texts. Pure.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

SUBJECT = "sub"
LONGEST_BYTES = 2_048
"""Of all that are kept. Claims that are longer are dropped, which allows nothing."""

Scalar = str | int | float | bool
ClaimValue = Scalar | list[Scalar]


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims of one caller, as JSON with sorted keys; empty text: none."""

    text: str = ""

    def find(self, name: str) -> ClaimValue | None:
        """Return a claim's value."""
        return parse_claims(self.text).get(name)

    @property
    def subject(self) -> str:
        """Who the caller is: the name of a token, or a JWT's `sub`."""
        subject = self.find(SUBJECT)
        return subject if isinstance(subject, str) else ""

    @property
    def digest(self) -> str:
        """What stands for the claims in a signature.

        Empty where only the subject is known, which is in every signature anyhow.
        """
        if set(parse_claims(self.text)) <= {SUBJECT}:
            return ""
        return hashlib.sha256(self.text.encode()).hexdigest()[:32]


NO_CLAIMS = Claims()


@lru_cache(maxsize=1_024)
def parse_claims(text: str) -> Mapping[str, ClaimValue]:
    """Return the claims of a text that `keep_claims` wrote."""
    found: dict[str, ClaimValue] = json.loads(text) if text else {}
    return found


def keep_claims(claims: Mapping[str, object], wanted: Iterable[str]) -> Claims:
    """Return the wanted claims and the subject; all are dropped if they are too long.

    Values are text, numbers, booleans, or lists of these. Half a surrogate pair has no
    UTF-8, so a value with one is no value.
    """
    kept = {
        name: claims[name]
        for name in {SUBJECT, *wanted}
        if name in claims and is_kept(claims[name])
    }
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    if len(text) <= LONGEST_BYTES:
        return Claims(text)
    subject = kept.get(SUBJECT)
    short = isinstance(subject, str) and len(subject) * 6 < LONGEST_BYTES
    return Claims(json.dumps({SUBJECT: subject})) if short else NO_CLAIMS


def is_kept(value: object) -> bool:
    """Tell whether a claim's value is one that rules can compare."""
    if isinstance(value, list):
        return all(is_scalar(item) for item in value)
    return is_scalar(value)


def is_scalar(value: object) -> bool:
    """Tell whether a value is text, a number or a boolean."""
    return isinstance(value, str | int | float | bool)


def write_scalar(value: Scalar) -> str:
    """Return a value as rules and settings write it: true, 42, text as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
