"""What only a network shows: both families, policies that are enforced, TLS."""
