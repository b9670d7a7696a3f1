"""An object that is JSON already, for answers that carry it as it is.

A result stands in an answer twice, as text and as structured content. Encoding it once
and putting the bytes into both places spares a walk over every value.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from pydantic_core import SchemaSerializer, core_schema


class EncodedJson(Mapping[str, Any]):
    """A JSON object by its text; decoded by whoever looks inside.

    Args:
        text: A JSON object in UTF-8 without halves of surrogate pairs.
    """

    __slots__ = ("text",)
    __pydantic_serializer__: SchemaSerializer

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"EncodedJson({len(self.text)} characters)"

    def __getitem__(self, key: str) -> Any:
        return self.decode()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.decode())

    def __len__(self) -> int:
        return len(self.decode())

    @property
    def raw(self) -> msgspec.Raw:
        """What msgspec's encoder writes as it is."""
        return msgspec.Raw(self.text.encode())

    def decode(self) -> dict[str, Any]:
        """Return the object."""
        decoded: dict[str, Any] = msgspec.json.decode(self.text)
        return decoded


# pydantic looks for it on values that it does not know: the SDK's own way to the wire
EncodedJson.__pydantic_serializer__ = SchemaSerializer(
    core_schema.any_schema(
        serialization=core_schema.plain_serializer_function_ser_schema(
            EncodedJson.decode
        )
    )
)
