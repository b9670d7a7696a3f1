"""MongoDB: one client, one fixed database, four commands that read."""
