"""What the tools' structured results look like, as JSON Schema.

Hosts check results against these, so they say what always holds and no more.
"""

from typing import Any


def build_object(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """Make the schema of an object."""
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
    }


def build_list(items: dict[str, Any]) -> dict[str, Any]:
    """Make the schema of an array."""
    return {"type": "array", "items": items}


STRING: dict[str, Any] = {"type": "string"}
BOOLEAN: dict[str, Any] = {"type": "boolean"}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
OPTIONAL_STRING: dict[str, Any] = {"type": ["string", "null"]}
OPTIONAL_COUNT: dict[str, Any] = {"type": ["integer", "null"]}
STRINGS = build_list(STRING)

PAGING: dict[str, Any] = {
    "row_count": COUNT,
    "truncated": {
        "type": "boolean",
        "description": "There is more, or something was cut to fit.",
    },
    "next_cursor": {
        "type": ["string", "null"],
        "description": "Pass it as cursor to get what follows.",
    },
}

PAGE = build_object(
    {"columns": STRINGS, "rows": build_list({"type": "array"}), **PAGING}
)

SUMMARY: dict[str, Any] = {
    "schema": STRING,
    "name": STRING,
    "kind": STRING,
    "estimated_rows": OPTIONAL_COUNT,
    "partitions": COUNT,
    "comment": OPTIONAL_STRING,
}

TABLES = build_object({"tables": build_list(build_object(SUMMARY)), **PAGING})

TABLE = build_object(
    {
        **SUMMARY,
        "columns": build_list(
            build_object(
                {
                    "name": STRING,
                    "type": STRING,
                    "nullable": BOOLEAN,
                    "default": OPTIONAL_STRING,
                    "comment": OPTIONAL_STRING,
                }
            )
        ),
        "primary_key": STRINGS,
        "unique_keys": build_list(build_object({"name": STRING, "columns": STRINGS})),
        "foreign_keys": build_list(
            build_object(
                {
                    "name": STRING,
                    "columns": STRINGS,
                    "references": build_object(
                        {"schema": STRING, "table": STRING, "columns": STRINGS}
                    ),
                }
            )
        ),
        "indexes": build_list(
            build_object({"name": STRING, "unique": BOOLEAN, "definition": STRING})
        ),
    }
)
