"""The processes of examples/compose, in a network of their own without containers."""
