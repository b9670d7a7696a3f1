"""HTTP, ASGI and JSON-RPC: parts that know no session and no tool."""
