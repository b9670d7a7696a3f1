"""MongoDB: one client, one fixed database, and commands that read."""
