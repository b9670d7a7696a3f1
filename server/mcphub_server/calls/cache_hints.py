"""How long clients of revision 2026-07-28 may keep lists, and whether they are shared.

The SDK writes a method's hint into each of its results. Whether a result is the same
for every caller depends on the access rules, which change while the server runs, so
each result gets a hint of its own. A stale list does no harm: every call is judged
again.
"""

from collections.abc import Callable

from fastmcp import FastMCP
from mcp.server.caching import CacheHint

LIST_SECONDS = 15
"""Of what the live configuration changes: a change counts within seconds."""

SCHEMA_SECONDS = 60
"""Of what a database changes."""

LIFETIMES_SECONDS = {
    "server/discover": LIST_SECONDS,
    "tools/list": LIST_SECONDS,
    "prompts/list": LIST_SECONDS,
    "resources/templates/list": LIST_SECONDS,
    "resources/list": SCHEMA_SECONDS,
    "resources/read": SCHEMA_SECONDS,
}

FROM_THE_DATABASE = frozenset({"resources/list", "resources/read"})
"""A role of the database may belong to the caller: never shared."""


class CacheHints(dict[str, CacheHint]):
    """The SDK's table of hints; a hint is made when it is asked for."""

    def __init__(self, is_public: Callable[[], bool]) -> None:
        """Prepare; `is_public` tells whether every caller sees the same tools."""
        super().__init__()
        self._is_public = is_public

    def get(  # type: ignore[override]
        self, method: str, default: CacheHint | None = None
    ) -> CacheHint | None:
        """Return the hint of a method."""
        seconds = LIFETIMES_SECONDS.get(method)
        if seconds is None:
            return default
        shared = method not in FROM_THE_DATABASE and self._is_public()
        return CacheHint(seconds * 1000, "public" if shared else "private")


def hint_caching(mcp: FastMCP, is_public: Callable[[], bool]) -> None:
    """Have a server say how long its lists may be kept."""
    server = mcp._mcp_server  # noqa: SLF001 -- FastMCP's own hint is fixed for all
    server.cache_hints = CacheHints(is_public)
