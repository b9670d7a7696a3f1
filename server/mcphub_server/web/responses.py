"""JSON responses of the endpoints that are not MCP."""

from typing import Any

import msgspec
from starlette.responses import Response


def build_json(body: Any, status: int = 200, etag: str = "") -> Response:
    """Make a JSON response that no cache keeps."""
    headers = {"cache-control": "no-store"}
    if etag:
        headers["etag"] = etag
    return Response(
        msgspec.json.encode(body), status, headers, media_type="application/json"
    )
