"""The tools of a Neo4j backend."""
