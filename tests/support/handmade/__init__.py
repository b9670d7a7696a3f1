"""A deployment that a user made by hand, which a hub replaces (docs/migrating.md)."""
