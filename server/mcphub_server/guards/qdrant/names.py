"""Names that become parts of Qdrant's URLs, and the collections that a hub may use.

A collection's name is a path segment, which the client quotes. Refused is what quoting
does not make harmless, a segment of dots, and what Qdrant itself takes in no name.
"""

import re
from collections.abc import Collection
from typing import Any
from uuid import UUID

from mcphub_server.errors import BadArgument, Rejected
from mcphub_server.guards.qdrant.numbers import is_count

_NAME = re.compile(r"""[^<>:"/\\|?*\x00-\x1f\x7f]{1,255}""")
_DOTS = frozenset({".", ".."})


def check_collection_name(name: Any, allowed: Collection[str] = ()) -> str:
    """Return a collection's name; an empty `allowed` allows every collection.

    Raises:
        Rejected: It has characters that a name cannot have, or is not allowed.
    """
    if not isinstance(name, str) or not _is_plain(name):
        raise Rejected(
            "qdrant/name",
            "The collection's name has characters that no collection's name has.",
            "Use a name as the list of collections gives it.",
        )
    if allowed and name not in allowed:
        raise Rejected(
            "read-only/collection",
            f"The collection {name} is not one of this hub's.",
            f"There are: {', '.join(sorted(allowed))}.",
        )
    return name


def check_vector_name(name: Any) -> str:
    """Return the name of a collection's vector."""
    if not isinstance(name, str) or not _is_plain(name):
        raise Rejected(
            "qdrant/name",
            "`using` is not a vector's name.",
            "Use a name from the collection's description, or leave it out.",
        )
    return name


def check_point_id(point_id: Any) -> int | str:
    """Return a point's id: a whole number or a UUID."""
    if isinstance(point_id, int) and is_count(point_id):
        return point_id
    if isinstance(point_id, str):
        if point_id.isascii() and point_id.isdecimal() and len(point_id) <= 20:  # noqa: PLR2004
            return check_point_id(int(point_id))
        try:
            return str(UUID(point_id))
        except ValueError:
            raise _refuse_point_id() from None
    raise _refuse_point_id()


def check_limit(limit: Any, maximum: int) -> int:
    """Return how many hits to ask for."""
    if isinstance(limit, bool) or not isinstance(limit, int):
        raise BadArgument("limit is a whole number.")
    if not 1 <= limit <= maximum:
        raise BadArgument(f"limit goes from 1 to {maximum}. Narrow with filter.")
    return limit


def _is_plain(name: str) -> bool:
    if _NAME.fullmatch(name) is None or name in _DOTS:
        return False
    try:
        name.encode()
    except UnicodeEncodeError:  # half of a surrogate pair has no place in a URL
        return False
    return True


def _refuse_point_id() -> BadArgument:
    return BadArgument("point_id is a whole number from 0 on, or a UUID.")
