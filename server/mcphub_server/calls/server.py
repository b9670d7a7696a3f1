"""Builds the MCP server, with everything that answers its requests."""

import hmac
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

import fastmcp
from fastmcp import FastMCP
from mcp.server.request_state import RequestStateSecurity

from mcphub_server.calls.cache_hints import hint_caching
from mcphub_server.calls.fast_path import ToolFastPath
from mcphub_server.calls.introduction import introduce
from mcphub_server.calls.middleware import ToolCallMiddleware
from mcphub_server.calls.prompts import serve_prompts
from mcphub_server.calls.resources import serve_resources
from mcphub_server.tools.catalog import CatalogProvider, ToolCatalog
from mcphub_server.tools.hub import HubFacts
from mcphub_server.tools.introduction import build_introduction
from mcphub_server.tools.objects.schemas import SchemaCatalog
from mcphub_server.tools.prompts.catalog import PromptCatalog
from mcphub_server.version import find_version


class NoState:
    """Stands where FastMCP stores the state of sessions: there is never any.

    No tool of a hub keeps state in a session, so that any replica serves it. FastMCP
    looks for a session's rules of visibility before each list all the same; its own
    store costs 10 MiB of an image, and a tenth of a second at the first list.
    """

    async def get(self, *, key: str) -> None:
        """Find nothing."""


NO_STATE = NoState()


class HubServer(FastMCP):
    """FastMCP's server without state."""

    @property
    def _state_store(self) -> Any:
        return NO_STATE


@dataclass(frozen=True, slots=True)
class ServerParts:
    """What an MCP server is built from.

    Attributes:
        name: Of the hub.
        state_key: A secret that all replicas share.
        calls: What every request passes.
        catalog: The tools.
        facts: What the hub tells about itself.
        schemas: The resources.
        prompts: The prompts.
        needs_token: Whether clients authenticate.
    """

    name: str
    state_key: bytes
    calls: ToolCallMiddleware
    catalog: ToolCatalog
    facts: HubFacts
    schemas: SchemaCatalog
    prompts: PromptCatalog
    needs_token: bool = True

    def is_public(self) -> bool:
        """Return whether every client that reaches the hub sees the same tools."""
        return not self.needs_token and self.catalog.is_open


def build_server(parts: ServerParts) -> tuple[FastMCP, ToolFastPath]:
    """Make the MCP server, and the short way to its own tools."""
    mcp = build_mcp(parts)
    serve_resources(mcp, parts.schemas, parts.calls, parts.prompts.find_backend)
    serve_prompts(mcp, parts.prompts, parts.calls)
    hint_caching(mcp, parts.is_public)
    introduce(mcp, partial(build_introduction, parts.facts))
    return mcp, ToolFastPath(mcp, parts.catalog.find, parts.calls)


def build_mcp(parts: ServerParts) -> HubServer:
    """Make FastMCP's server, with the tools of the catalog."""
    # spans of FastMCP carry arguments and exception texts; own ones carry neither
    fastmcp.settings.telemetry_mode = "propagation_only"
    security = RequestStateSecurity(keys=[derive_key(parts.state_key)])
    return HubServer(
        name=parts.name,
        version=find_version(),
        mask_error_details=True,
        on_duplicate="error",
        request_state_security=security,
        middleware=[parts.calls],
        providers=[CatalogProvider(parts.catalog, parts.prompts)],
    )


def derive_key(state_key: bytes) -> bytes:
    """Make the key for request state that a client returns to another replica.

    The SDK needs 32 bytes; the file may hold any number.
    """
    return hmac.digest(state_key, b"mcphub request state v1", sha256)
