"""What this replica is doing: its state, open streams, admission and drain."""
