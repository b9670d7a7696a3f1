"""Responses that survive a lost connection and a lost replica."""
