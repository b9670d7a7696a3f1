"""The shortest path from a request to the answer of an own tool.

The SDK opens a session for each request without one, with streams and three tasks, and
walks parameters and results through pydantic. For calls that need nothing of that, this
layer answers by itself, for about half of the CPU. All else goes on to the SDK.
"""

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import msgspec
from mcp_types import CallToolRequestParams
from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.results.encoded import EncodedJson
from mcphub_server.transports.direct_call import JSON, DirectCall, find_direct_call
from mcphub_server.transports.encoding import STRUCTURED
from mcphub_server.web.asgi import send_response
from mcphub_server.web.disconnects import cancel_when_gone
from mcphub_server.web.jsonrpc import CALL_METHOD
from mcphub_server.web.paths import Endpoint
from mcphub_server.web.request import MCPRequest, get_request

AnswerCall = Callable[[CallToolRequestParams, str], Awaitable[dict[str, Any] | None]]
"""Answers a call in a revision; None if it is not an own tool's."""

HEADERS = [(b"content-type", JSON)]


class DirectCalls:
    """Answers calls of own tools outside sessions; passes on every other request."""

    def __init__(self, app: ASGIApp, answer: AnswerCall, *, is_stateful: bool) -> None:
        self._app = app
        self._answer = answer
        self._is_stateful = is_stateful

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = get_request(scope)
        if not self._may_answer(request):
            await self._app(scope, receive, send)
            return
        body = await request.read_body(receive)
        found = None
        if request.message.method == CALL_METHOD:
            found = find_direct_call(scope["headers"], body)
        if found is None:
            await self._app(scope, receive, send)
            return
        call, revision = found

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()  # the body; from now on the connection is watched
            result = await self._answer(build_params(call), revision)
            if result is None:
                await self._app(scope, receive, send)
            else:
                await send_response(send, HTTPStatus.OK, encode(call, result), HEADERS)

        await cancel_when_gone(serve, scope, request.replay(receive), send)

    def _may_answer(self, request: MCPRequest) -> bool:
        is_call = request.endpoint is Endpoint.HTTP and request.method == "POST"
        return is_call and (request.is_modern or not self._is_stateful)


def build_params(call: DirectCall) -> CallToolRequestParams:
    """Return the parameters as the SDK would; their types are checked already."""
    given = call.params
    meta: Any = given.meta
    return CallToolRequestParams.model_construct(
        name=given.name, arguments=given.arguments, meta=meta
    )


def encode(call: DirectCall, result: dict[str, Any]) -> bytes:
    """Return the JSON-RPC response."""
    structured = result.get(STRUCTURED)
    if isinstance(structured, EncodedJson):
        result[STRUCTURED] = structured.raw
    response = {"jsonrpc": "2.0", "id": call.id, "result": result}
    try:
        return msgspec.json.encode(response)
    except UnicodeEncodeError:  # a lone surrogate, which only JSON's escapes can write
        return json.dumps(response, default=msgspec.json.decode).encode()
