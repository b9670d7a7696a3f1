"""What the operator says about a hub: pure functions from what it saw."""
