"""The tools of a Qdrant backend."""
