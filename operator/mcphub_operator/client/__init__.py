"""Requests to the API server: connection, reads and writes."""
