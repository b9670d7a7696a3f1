"""Commands of other databases and of psql that models try, and what to use instead."""

import re

from mcphub_server.errors import Rejected

_LIST = "Call the tool whose name ends in _list_tables."
_DESCRIBE = "Call the tool whose name ends in _describe_table."
_NAMES = "Call _list_tables, or SELECT schema_name FROM information_schema.schemata."

# possessive, as all that reads a caller's text
_COMMANDS = (
    (r"SHOW\s++(?:FULL\s++)?(?:TABLES|VIEWS)\b", _LIST),
    (r"SHOW\s++(?:DATABASES|SCHEMAS)\b", _NAMES),
    (r"SHOW\s++(?:FULL\s++)?(?:COLUMNS|FIELDS|INDEX|INDEXES|KEYS|CREATE)\b", _DESCRIBE),
    (r"(?:DESCRIBE|DESC)\b", _DESCRIBE),
    (r"\\d[a-zA-Z]*+\+?+\s++\S", _DESCRIBE),
    (r"\\[dl][a-zA-Z]*+\+?+\s*+;?+\s*+$", _LIST),
    (r"USE\b", "Name tables as schema.table; the database is fixed."),
    (r"PRAGMA\b", _DESCRIBE),
)
_PATTERNS = [
    (re.compile(rf"\s*+({command})", re.IGNORECASE), advice)
    for command, advice in _COMMANDS
]


def check_dialect(sql: str) -> None:
    """Refuse another program's command, with the tool that answers it.

    Raises:
        Rejected: The text begins with such a command.
    """
    for pattern, advice in _PATTERNS:
        match = pattern.match(sql)
        if match:
            raise Rejected(
                "sql/dialect",
                f"{' '.join(match[1].split())[:40]} is no statement of PostgreSQL's.",
                advice,
            )
