"""Scenarios of hubs, run with and without faults, and the table of how they ended."""
