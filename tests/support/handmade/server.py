"""The program of the old pods: both transports, no sessions on /mcp, no tokens."""

from typing import Any

import uvicorn
from starlette.applications import Starlette

# It runs in the hub's image, which has no store for FastMCP's state of sessions.
from mcphub_server.calls.server import HubServer

PORT = 8000
MARK = b"x-served-by"

mcp = HubServer("mcp-hub")


# Without a schema and with all of the hub's fields: while a Service switches, a client
# checks a result by the schema that the other server listed.
@mcp.tool(output_schema=None)
def health_check() -> dict[str, Any]:
    """Say that the server works."""
    return {
        "status": "healthy",
        "service": "mcp-hub",
        "version": "1",
        "message": "",
        "backends": {},
    }


def build_app() -> Any:
    """Return the app; each of its responses says that it is the old server's."""
    http = mcp.http_app(path="/mcp", stateless_http=True, host_origin_protection=False)
    sse = mcp.http_app(path="/sse", transport="sse", host_origin_protection=False)
    app = Starlette(routes=[*http.routes, *sse.routes], lifespan=http.lifespan)

    async def marked(scope: Any, receive: Any, send: Any) -> None:
        async def mark(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], (MARK, b"old")]
                message = {**message, "headers": headers}
            await send(message)

        await app(scope, receive, mark)

    return marked


if __name__ == "__main__":
    uvicorn.run(build_app(), host="0.0.0.0", port=PORT, access_log=False)  # noqa: S104
