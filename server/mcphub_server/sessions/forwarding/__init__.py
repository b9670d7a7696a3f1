"""Forwards a request to the replica that owns its session."""
