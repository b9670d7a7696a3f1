"""The tools of a PostgreSQL backend."""
