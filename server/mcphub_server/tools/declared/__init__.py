"""Declared tools: reviewed statements of the administrator, with typed parameters."""
