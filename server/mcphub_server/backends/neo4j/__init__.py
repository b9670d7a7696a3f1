"""Neo4j: one driver, one fixed database, read access only."""
