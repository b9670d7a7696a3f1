"""The cheapest client there is: JSON-RPC over one kept-alive connection.

A real MCP client would spend more than the server does and drown the difference
between two servers.
"""

import http.client
import json
from dataclasses import dataclass, field
from typing import Any

TIMEOUT_SECONDS = 60.0

EVENT_STREAM = "text/event-stream"
EVENT_DATA = b"data: "
"""What stands before the answer where it took so long that it came as a stream."""

MODERN = "2026-07-28"
CLASSIC = "2025-11-25"


@dataclass(slots=True)
class BareClient:
    """Calls tools of one server, one after the other."""

    port: int
    token: str = ""
    accept: str = "application/json, text/event-stream"
    host: str = "127.0.0.1"
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection(
            self.host, self.port, timeout=TIMEOUT_SECONDS
        )

    def call(self, revision: str, tool: str, arguments: dict[str, Any]) -> bytes:
        """Call a tool and return the answer's JSON-RPC message.

        Raises:
            RuntimeError: the answer is an error, of the protocol or of the tool.
        """
        return self._ask(tool, *build_call(revision, tool, arguments, self.token))

    def list_tools(self, revision: str) -> bytes:
        """List the tools and return the answer's JSON-RPC message.

        Raises:
            RuntimeError: the answer is an error.
        """
        return self._ask("tools/list", *build_list(revision, self.token))

    def _ask(self, what: str, body: bytes, headers: dict[str, str]) -> bytes:
        headers["Accept"] = self.accept
        self.connection.request("POST", "/mcp", body, headers)
        response = self.connection.getresponse()
        said = response.read()
        is_stream = response.getheader("content-type", "").startswith(EVENT_STREAM)
        if response.status != 200 or b'"isError":true' in said or b'"error":' in said:
            raise RuntimeError(f"{what}: {response.status} {said[:500]!r}")
        return said[said.rfind(EVENT_DATA) + len(EVENT_DATA) :] if is_stream else said


def build_call(
    revision: str, tool: str, arguments: dict[str, Any], token: str
) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a call, as clients of the revision send it."""
    params: dict[str, Any] = {"name": tool, "arguments": arguments}
    body, headers = build_request(revision, "tools/call", params, token)
    return body, headers | ({"Mcp-Name": tool} if revision == MODERN else {})


def build_list(revision: str, token: str) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a request for the list of tools."""
    return build_request(revision, "tools/list", {}, token)


def build_request(
    revision: str, method: str, params: dict[str, Any], token: str
) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a request, as clients of the revision send it."""
    headers = {
        "Content-Type": "application/json",
        "MCP-Protocol-Version": revision,
    }
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if revision == MODERN:
        headers["Mcp-Method"] = method
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return json.dumps(message).encode(), headers
