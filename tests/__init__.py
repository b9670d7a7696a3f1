"""Tests, and the parts that only tests need (`support`)."""
