"""A real Neo4j for tests: installed from Maven, run on loopback, taken down by pid."""
