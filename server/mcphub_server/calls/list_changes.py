"""Tells clients with an open session that their list of tools changed.

A session hears of it only if its own caller sees other tools than before, on the
replica that holds it. Requests without a session have nothing that could carry it, nor
has the revision 2026-07-28: its clients list again when their copy has expired.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from fastmcp import FastMCP
from mcp.server.connection import Connection
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

from mcphub_server.tools.catalog import CatalogEntry, ToolCatalog
from mcphub_server.web.caller import Client, current_client

SEND_SECONDS = 5.0
"""How long a client may take to receive it."""

Entries = Mapping[str, CatalogEntry]


@dataclass(frozen=True, slots=True)
class Shown:
    """Who a session belongs to, and the tools that its client knows of."""

    client: Client
    entries: Entries


class ListChanges:
    """A middleware of the SDK that keeps what each open session has been shown."""

    def __init__(self, mcp: FastMCP, catalog: ToolCatalog) -> None:
        self._catalog = catalog
        self._shown: WeakKeyDictionary[Connection, Shown] = WeakKeyDictionary()
        mcp._mcp_server.middleware.insert(0, self)  # noqa: SLF001 -- as `ToolFastPath`

    async def __call__(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """Note the session and pass the request on."""
        connection = ctx.session._connection  # noqa: SLF001 -- the SDK has no other way
        if connection.has_standalone_channel:
            client, shown = current_client(), self._shown.get(connection)
            if shown is None or ctx.method == "tools/list":
                entries = self._catalog.list_for(client)
            else:
                entries = shown.entries
            # the client's of now: other rules may look at other claims
            self._shown[connection] = Shown(client, entries)
        return await call_next(ctx)

    async def notify(self) -> None:
        """Send the notification to each session whose tools are others now."""
        async with asyncio.TaskGroup() as group:
            for connection, shown in list(self._shown.items()):
                entries = self._catalog.list_for(shown.client)
                self._shown[connection] = Shown(shown.client, entries)
                if describe(entries) != describe(shown.entries):
                    group.create_task(send(connection))


async def send(connection: Connection) -> None:
    """Send the notification, unless the client does not receive it."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await connection.send_tool_list_changed()
    except TimeoutError:
        return


def describe(entries: Entries) -> list[tuple[object, ...]]:
    """Return what clients see of tools."""
    tools = [entry.tool for entry in entries.values()]
    return [
        (each.name, each.title, each.description, each.parameters) for each in tools
    ]
