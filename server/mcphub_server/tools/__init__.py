"""The tools that clients see: one module a kind of backend, and the hub's own."""
