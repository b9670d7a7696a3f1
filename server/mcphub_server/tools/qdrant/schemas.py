"""The input schema of a filter: its usual part, for models and strict clients.

Everything else that Qdrant's filters know is taken too; `guards/qdrant` decides.
"""

from typing import Any

NUMBER: dict[str, Any] = {"type": "number"}

CONDITION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "key": {"type": "string", "description": "A field of the payload."},
        "match": {
            "type": "object",
            "properties": {
                "value": {"type": "string"},
                "any": {"type": "array", "items": {"type": "string"}},
            },
            "description": "Equal to value (also a number or a boolean), or to any.",
        },
        "range": {
            "type": "object",
            "properties": {"gte": NUMBER, "gt": NUMBER, "lte": NUMBER, "lt": NUMBER},
        },
    },
}

CONDITIONS: dict[str, Any] = {"type": "array", "items": CONDITION}

FILTER: dict[str, Any] = {
    "type": "object",
    "properties": {"must": CONDITIONS, "should": CONDITIONS, "must_not": CONDITIONS},
    "description": "Qdrant's filter on the payload, such as "
    '{"must": [{"key": "city", "match": {"value": "Rome"}}]}.',
}
