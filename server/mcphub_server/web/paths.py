"""The paths that the server answers, in one place.

Every path that is not listed is 404, `/.well-known/*` above all: clients take any
other response there for an OAuth server.
"""

from collections.abc import Mapping
from enum import StrEnum

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.web.responses import build_json


class Endpoint(StrEnum):
    """The MCP endpoints; a slash at the end makes no difference."""

    HTTP = "/mcp"
    SSE = "/sse"
    MESSAGES = "/messages"


HEALTH_PREFIX = "/health"
PROTECTED_RESOURCE = "/.well-known/oauth-protected-resource"

NOT_FOUND = Response("Not found.\n", 404, media_type="text/plain")


def find_endpoint(path: str) -> Endpoint | None:
    """Return the MCP endpoint that a path names."""
    return ENDPOINTS.get(path.rstrip("/"))


ENDPOINTS: Mapping[str, Endpoint] = {str(endpoint): endpoint for endpoint in Endpoint}


class PathRouter:
    """Separates what needs a credential from what does not.

    Args:
        app: The MCP endpoints; the layers below ask for a credential.
        health: The probes, open to everybody.
        documents: Public JSON documents by path.
        page: The files for people with a browser, by path.
    """

    def __init__(
        self,
        app: ASGIApp,
        health: ASGIApp,
        documents: Mapping[str, object],
        page: Mapping[str, Response],
    ) -> None:
        self._app = app
        self._health = health
        self._documents = documents
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._find_app(scope)(scope, receive, send)

    def _find_app(self, scope: Scope) -> ASGIApp:
        path = scope["path"]
        if scope["type"] == "websocket":
            is_served = find_endpoint(path) is Endpoint.HTTP
            return self._app if is_served else NOT_FOUND
        if find_endpoint(path) is not None:
            return self._app
        if path.startswith(HEALTH_PREFIX):
            return self._health
        is_reading = scope["method"] in ("GET", "HEAD")
        if is_reading and path in self._documents:
            return build_json(self._documents[path])
        if is_reading and path in self._page:
            return self._page[path]
        return NOT_FOUND
