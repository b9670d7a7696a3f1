"""The Cypher guard: one reading statement of known clauses and routines.

Import it only where a Neo4j backend is enabled: the grammar comes from neo4j-guard,
which loads the driver.
"""
