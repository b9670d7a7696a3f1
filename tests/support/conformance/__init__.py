"""What the MCP conformance suite wants a server to offer, mountable on any hub."""
