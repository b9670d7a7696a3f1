"""MongoDB's values as JSON and back, by its own relaxed Extended JSON (v2).

Numbers of 64 bits are JSON numbers; what JSON lacks is an object of one key, such as
{"$oid": …}, {"$date": …}, {"$numberDecimal": …}, which a filter takes as it comes.
Specification: https://github.com/mongodb/specifications, extended-json.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import bson
from bson import json_util
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from mcphub_server.errors import BadArgument

LARGEST_AT_ONCE = 65_536
"""In bytes; this takes some 10 ms."""

_CODEC: CodecOptions[dict[str, Any]] = CodecOptions(
    dict,
    tz_aware=True,
    unicode_decode_error_handler="replace",
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)
_OUT = json_util.RELAXED_JSON_OPTIONS.with_options(tz_aware=True)
_MALFORMED = (
    *(BSONError, ValueError, TypeError, KeyError, RecursionError),
    ArithmeticError,  # decimal's
)


def decode_document(raw: RawBSONDocument) -> dict[str, Any]:
    """Return a document's values as Python's and the driver's types."""
    return bson.decode(raw.raw, _CODEC)


async def write_documents(raws: Sequence[RawBSONDocument]) -> list[dict[str, Any]]:
    """Return documents as plain JSON; large ones beside the event loop."""
    if sum(len(raw.raw) for raw in raws) <= LARGEST_AT_ONCE:
        return _write_all(raws)
    return await asyncio.to_thread(_write_all, raws)


def _write_all(raws: Sequence[RawBSONDocument]) -> list[dict[str, Any]]:
    return [write_document(decode_document(raw)) for raw in raws]


def write_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document's values as plain JSON."""
    text = json_util.dumps(document, json_options=_OUT)
    plain: dict[str, Any] = json.loads(text)
    return plain


def read_value(value: Any, what: str) -> Any:
    """Return a caller's JSON as what MongoDB's driver sends.

    Raises:
        BadArgument: It has an object of Extended JSON that is invalid, or a number or a
            text that no document can hold.
    """
    try:
        read = json_util.loads(json.dumps(value))
        encode(read)
    except _MALFORMED:
        raise BadArgument(
            f"{what} has a value that MongoDB does not take. Write "
            '{"$oid": "24 hexadecimal digits"}, {"$date": "2026-01-31T12:00:00Z"}, '
            '{"$numberDecimal": "0.10"}; whole numbers have at most 64 bits.'
        ) from None
    return read


def check_values(values: Mapping[str, object]) -> None:
    """Raise BadArgument for a number or a text that no document can hold."""
    for name, value in values.items():
        try:
            encode(value)
        except _MALFORMED:
            raise BadArgument(
                f"{name} has a value that MongoDB does not take: whole numbers have at "
                "most 64 bits, and texts no half of a surrogate pair."
            ) from None


def encode(value: Any) -> bytes:
    """Return a value as the driver sends it; raises what `_MALFORMED` lists."""
    return bson.encode({"": value})
