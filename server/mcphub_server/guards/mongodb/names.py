"""The collections that a hub's tools may read."""

from collections.abc import Collection
from typing import Any

from mcphub_server.errors import Rejected

LONGEST_NAME = 255
_SYSTEM = "system."


def is_readable(name: str, allowed: Collection[str] = ()) -> bool:
    """Tell whether a collection is one of the hub's; system collections never are."""
    return not name.startswith(_SYSTEM) and (not allowed or name in allowed)


def check_collection(name: Any, allowed: Collection[str] = ()) -> str:
    """Return a collection's name; an empty `allowed` allows all but system ones.

    Raises:
        Rejected: It is no name, is one of MongoDB's own, or is not allowed.
    """
    if not isinstance(name, str) or not _is_plain(name):
        raise Rejected(
            "mongodb/name",
            "This is not the name of a collection of this database.",
            "Use a name as the list of collections gives it.",
        )
    if is_readable(name, allowed):
        return name
    there = f"There are: {', '.join(sorted(allowed))}." if allowed else ""
    raise Rejected(
        "read-only/collection",
        f"The collection {name} is not one of this hub's.",
        there or "Collections that begin with system. hold the server's own data.",
    )


def _is_plain(name: str) -> bool:
    if not 0 < len(name) <= LONGEST_NAME or "$" in name or "\0" in name:
        return False
    try:
        name.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True
