"""JSON that is also YAML as the API server reads it.

Server-side apply takes its body as YAML, and the parser behind it is not quite one for
JSON: it refuses surrogate pairs (as JSON escapes what lies beyond 16 bits), refuses
control characters that JSON lets stand, and folds three Unicode line breaks into
spaces. So the first are written as they are and the others escaped.
"""

import re
from typing import Any

import msgspec

_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def encode_body(body: Any) -> bytes:
    """Return the bytes of a request's body."""
    text = msgspec.json.encode(body).decode()
    return _UNSAFE.sub(_escape, text).encode()


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"
