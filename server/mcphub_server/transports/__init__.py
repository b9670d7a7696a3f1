"""The MCP endpoints: which transport serves a request, and how it responds."""
