"""Values that Neo4j's driver gives up on: years before 1 and after 9999, mostly.

Neo4j keeps dates from the year -999999999 to +999999999, Python's driver only what
`datetime` has, and one such date can break the whole node that carries it. The driver
then keeps the undecoded structure; here it becomes what Cypher's `toString()` prints.
The tags are those of the Bolt specification.
"""

from collections.abc import Callable
from typing import Any

DAY_SECONDS = 86_400
WIDEST_PLAIN_YEAR = 9999
UNREADABLE = "[a value that the database driver cannot read]"


def read_structure(structure: Any) -> Any:
    """Return a structure (a tag and fields) as simpler values."""
    reader = READERS.get(structure.tag)
    return UNREADABLE if reader is None else reader(*structure.fields)


def format_date(days: int) -> str:
    """Return the ISO 8601 date so many days after 1970-01-01, for any year.

    The arithmetic is Howard Hinnant's `civil_from_days`, on eras of 400 years.
    """
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (
        365 * year_of_era + year_of_era // 4 - year_of_era // 100
    )
    shifted_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted_month + 2) // 5 + 1
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9  # noqa: PLR2004
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)  # noqa: PLR2004
    sign = "-" if year < 0 else "+" if year > WIDEST_PLAIN_YEAR else ""
    return f"{sign}{abs(year):04d}-{month:02d}-{day:02d}"


def format_datetime(seconds: int, nanoseconds: int) -> str:
    """Return the ISO 8601 date and time so many seconds after the epoch."""
    days, rest = divmod(seconds, DAY_SECONDS)
    minutes, second = divmod(rest, 60)
    hour, minute = divmod(minutes, 60)
    return f"{format_date(days)}T{hour:02d}:{minute:02d}:{second:02d}.{nanoseconds:09d}"


def format_offset(seconds: int) -> str:
    """Return an offset from UTC as +hh:mm."""
    hours, rest = divmod(abs(seconds), 3600)
    return f"{'-' if seconds < 0 else '+'}{hours:02d}:{rest // 60:02d}"


def _read_offset_datetime(seconds: int, nanoseconds: int, offset: int) -> str:
    return format_datetime(seconds + offset, nanoseconds) + format_offset(offset)


def _read_zoned_datetime(seconds: int, nanoseconds: int, zone: str) -> str:
    return f"{format_datetime(seconds, nanoseconds)}Z[{zone}]"


def _read_node(
    _: int, labels: list[str], properties: object, element_id: str
) -> dict[str, object]:
    return {
        "element_id": element_id,
        "labels": sorted(labels),
        "properties": properties,
    }


def _read_relationship(*fields: Any) -> dict[str, object]:
    _, _, _, kind, properties, element_id, start, end = fields
    return {
        "element_id": element_id,
        "type": kind,
        "start": start,
        "end": end,
        "properties": properties,
    }


READERS: dict[bytes, Callable[..., object]] = {
    b"D": format_date,
    b"d": format_datetime,
    b"I": _read_offset_datetime,
    b"i": _read_zoned_datetime,
    b"N": _read_node,
    b"R": _read_relationship,
}
