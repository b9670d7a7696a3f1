"""Which other replicas the hub has."""
