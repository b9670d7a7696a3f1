"""Traces by OpenTelemetry; nothing of it is imported while they are off."""
