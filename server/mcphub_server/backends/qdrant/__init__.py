"""Qdrant: its REST interface, for reading collections and nothing else."""
