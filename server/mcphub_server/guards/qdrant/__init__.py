"""The Qdrant guard: names, vectors and filters, before a client library sees them."""
