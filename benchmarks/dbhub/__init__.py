"""dbhub, an MCP server in TypeScript, from npm."""
