"""MCP clients and the conformance suite from npm, on a Node that is new enough."""
