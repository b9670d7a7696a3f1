"""The mcphub server: read-only database tools over MCP for AI assistants."""
