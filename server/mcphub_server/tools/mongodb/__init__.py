"""The tools of a MongoDB backend."""
