"""Limits and cursors as every tool that pages uses them."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from mcphub_server.errors import BadArgument
from mcphub_server.results.cursors import CursorState
from mcphub_server.tools.arguments import LONGEST_WORD, check_count
from mcphub_server.tools.context import ToolContext

Limit = Annotated[
    int | None,
    Field(ge=1, description="Most rows to return; the hub's own limit applies too."),
]
Cursor = Annotated[
    str | None,
    Field(
        description="The next_cursor of the page before, with the same other "
        "arguments.",
        max_length=LONGEST_WORD,
    ),
]


MOST_PARAMETER_VALUES = 20_000
"""However deep; to hash them for a cursor and to send them takes some 20 ms."""


def check_parameter_values(parameters: object) -> None:
    """Raise BadArgument if a statement's parameters have too many values."""
    check_count("parameters", parameters, MOST_PARAMETER_VALUES)


@dataclass(frozen=True, slots=True)
class Pager:
    """The pages of one call, for one tool and its arguments.

    Attributes:
        context: The hub.
        tool: The tool's name.
        mark: A fingerprint of the arguments that a cursor belongs to.
    """

    context: ToolContext
    tool: str
    mark: str

    def find_limit(self, limit: int | None) -> int:
        """Return how many rows the page may have."""
        most = self.context.limits.max_rows
        return most if limit is None else min(limit, most)

    def find_offset(self, cursor: str | None) -> int:
        """Return where the page begins; raise BadArgument for a foreign cursor."""
        if not cursor:
            return 0
        principal = self.context.principal()
        return self.context.cursors.verify(cursor, self.tool, self.mark, principal)

    def sign_after(self, offset: int) -> Callable[[int], str]:
        """Return how to make the cursor behind so many rows of the page."""
        principal = self.context.principal()

        def sign(rows: int) -> str:
            state = CursorState(self.tool, self.mark, offset + rows, principal)
            return self.context.cursors.sign(state)

        return sign


def fingerprint(*parts: object) -> str:
    """Return a short hash of JSON values, nothing of which can be read from it.

    Raises:
        BadArgument: They are no JSON.
    """
    try:
        text = json.dumps(parts, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        raise BadArgument("The arguments are not plain JSON values.") from None
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
