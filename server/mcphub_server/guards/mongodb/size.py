"""How deep and how large a caller's JSON may be."""

from typing import Any

from mcphub_server.errors import Rejected
from mcphub_server.guards.json_size import MAX_TEXT, Excess, find_excess

MAX_DEPTH = 40
MAX_PARTS = 4_000


def check_size(raw: Any, what: str) -> None:
    """Refuse JSON that is too deep or too large; `what` names it, as "The filter"."""
    excess = find_excess(raw, MAX_DEPTH, MAX_PARTS)
    if excess is Excess.SIZE:
        raise Rejected(
            "mongodb/size",
            f"{what} has more than {MAX_PARTS} parts or {MAX_TEXT} letters.",
            "Use a range, a $lookup or fewer values.",
        )
    if excess is Excess.DEPTH:
        raise Rejected(
            "mongodb/depth",
            f"{what} nests more than {MAX_DEPTH} levels deep.",
            "Put conditions side by side in $and or $or.",
        )
