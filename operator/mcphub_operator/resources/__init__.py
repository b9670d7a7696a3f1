"""Builders of the hub's children: pure, one kind a module."""
