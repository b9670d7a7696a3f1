"""The first run: a real cluster, the operator, a trial database and a hub."""
