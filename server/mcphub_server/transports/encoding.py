"""Writes an answer whose structured content is JSON already.

The SDK encodes answers with pydantic, and in revision 2026-07-28 with pydantic and then
`json`: both walk every value. Here the encoded result is copied.
"""

import msgspec
from mcp_types import JSONRPCMessage, JSONRPCResponse

from mcphub_server.results.encoded import EncodedJson

STRUCTURED = "structuredContent"


def encode_response(message: JSONRPCMessage | None) -> bytes | None:
    """Return a response as JSON; None if its result is not encoded already."""
    if not isinstance(message, JSONRPCResponse):
        return None
    structured = message.result.get(STRUCTURED)
    if not isinstance(structured, EncodedJson):
        return None
    result = {**message.result, STRUCTURED: structured.raw}
    return msgspec.json.encode(
        {"jsonrpc": message.jsonrpc, "id": message.id, "result": result}
    )
