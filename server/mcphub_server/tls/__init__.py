"""TLS on the port for MCP clients, and between replicas."""
