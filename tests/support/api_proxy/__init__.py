"""One proxy before an API server: it counts, records, and misbehaves on purpose."""
