"""Headless Chromium, driven by its own protocol."""
