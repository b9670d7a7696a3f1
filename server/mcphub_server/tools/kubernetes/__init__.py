"""The tools of the cluster as a backend."""
