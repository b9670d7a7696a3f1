"""The mcphub operator: keeps every McpHub's children as its spec says."""
