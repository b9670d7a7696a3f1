"""A Qdrant for tests: the real image with Docker, else a double over its engine.

There is no Qdrant server in any package registry. `qdrant-edge-py` is its real
engine without HTTP, so the double adds the few REST routes that the hub and the
tests use, and nothing of clustering, snapshots or access tokens.
"""
