"""A package, so that pytest ends the cluster's fixtures after its last test."""
