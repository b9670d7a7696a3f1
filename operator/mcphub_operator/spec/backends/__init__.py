"""The databases behind a hub: a module for each kind, and the registry of kinds."""
