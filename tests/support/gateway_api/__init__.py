"""The definitions of the Gateway API, from its Go module."""
