"""Tries the examples of agent frameworks, each in an environment of its own."""
