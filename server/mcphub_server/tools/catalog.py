"""The tools of a hub, built-in and declared, as the current caller may use them.

The only registry: FastMCP asks it through `CatalogProvider`, and the fast path asks it
directly. A tool that the caller may not use is not found, so that calling it takes the
same way as calling one that does not exist.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from fastmcp.prompts.base import Prompt
from fastmcp.server.providers import Provider
from fastmcp.tools.base import Tool
from fastmcp.utilities.versions import VersionSpec

from mcphub_server.tools.access import AccessPolicy
from mcphub_server.tools.prompts.catalog import PromptCatalog
from mcphub_server.web.caller import Client, current_client
from mcphub_server.web.claims import NO_CLAIMS, Claims

MOST_CALLERS = 256
"""Of how many the tools are kept; a further one's are listed again."""


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A tool and the backend that it reads; the hub's own tools have none."""

    tool: Tool
    backend: str = ""


class ToolCatalog:
    """All tools; which of them a caller sees, the policy decides."""

    def __init__(self, built_in: Iterable[CatalogEntry] = ()) -> None:
        self._built_in = {entry.tool.name: entry for entry in built_in}
        self._declared: dict[str, CatalogEntry] = {}
        self._policy = AccessPolicy(None)
        self._caller: Callable[[], Client] = current_client
        # a caller has the same claims call after call
        self._find_allowed = lru_cache(maxsize=MOST_CALLERS)(self._list_allowed)

    def add_built_in(self, entries: Iterable[CatalogEntry]) -> None:
        """Add tools that stay as long as the server runs."""
        self._built_in |= {entry.tool.name: entry for entry in entries}
        self._find_allowed.cache_clear()

    def replace(self, declared: Iterable[CatalogEntry], policy: AccessPolicy) -> None:
        """Put other declared tools and other rules in force, at once."""
        self._declared = {entry.tool.name: entry for entry in declared}
        self._policy = policy
        self._find_allowed.cache_clear()

    def replace_declared(self, declared: Iterable[CatalogEntry]) -> None:
        """Put other declared tools in force under the same rules."""
        self.replace(declared, self._policy)

    @property
    def names(self) -> list[str]:
        """The names of all tools, whoever may call them."""
        return [*self._built_in, *self._declared]

    @property
    def is_open(self) -> bool:
        """Return whether every caller may use every tool."""
        return self._policy.is_open

    def is_built_in(self, name: str) -> bool:
        """Return whether a built-in tool has this name."""
        return name in self._built_in

    def find(self, name: str) -> Tool | None:
        """Return a tool if the current caller may use it."""
        entry = self._entries.get(name)
        return None if entry is None else entry.tool

    def list_tools(self) -> list[Tool]:
        """Return the tools that the current caller may use."""
        return [entry.tool for entry in self._entries.values()]

    def list_names(self, backend: str) -> list[str]:
        """Return the tools of a backend that the current caller may use."""
        entries = self._entries.values()
        return [each.tool.name for each in entries if each.backend == backend]

    def list_built_in(self, backend: str) -> list[str]:
        """Return the backend's own tools that the current caller may use."""
        return [name for name in self.list_names(backend) if name in self._built_in]

    def shows(self, backend: str) -> bool:
        """Return whether the current caller may know of a backend."""
        if self._policy.is_open:
            return True
        return any(each.backend == backend for each in self._entries.values())

    def explain_absence(self, name: str) -> str:
        """Return why the current caller does not find a tool; empty: it is unknown."""
        if name not in self._built_in and name not in self._declared:
            return ""
        return self._policy.explain(self._caller(), name)

    def list_for(self, caller: Client) -> Mapping[str, CatalogEntry]:
        """Return the tools that a caller may use, by name."""
        if self._policy.is_open:
            return self._find_allowed(NO_CLAIMS, frozenset())
        return self._find_allowed(caller.claims, caller.scopes)

    @property
    def _entries(self) -> Mapping[str, CatalogEntry]:
        """The tools that the current caller may use, by name."""
        return self.list_for(self._caller())

    def _list_allowed(
        self, claims: Claims, scopes: frozenset[str]
    ) -> Mapping[str, CatalogEntry]:
        caller = Client(claims=claims, scopes=scopes)
        entries = self._built_in | self._declared | self._built_in  # built-in ones win
        return {
            name: entry
            for name, entry in entries.items()
            if self._policy.allows(caller, name)
        }


class CatalogProvider(Provider):
    """How FastMCP finds the tools and the prompts of the catalogs."""

    def __init__(self, catalog: ToolCatalog, prompts: PromptCatalog) -> None:
        super().__init__()
        self._catalog = catalog
        self._prompts = prompts

    async def _list_tools(self) -> Sequence[Tool]:
        return self._catalog.list_tools()

    async def _get_tool(
        self,
        name: str,
        version: VersionSpec | None = None,  # noqa: ARG002
    ) -> Tool | None:
        return self._catalog.find(name)

    async def _list_prompts(self) -> Sequence[Prompt]:
        return self._prompts.list_prompts()

    async def _get_prompt(
        self,
        name: str,
        version: VersionSpec | None = None,  # noqa: ARG002
    ) -> Prompt | None:
        return self._prompts.find(name)
