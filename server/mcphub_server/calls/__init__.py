"""What a tool call passes: rate limit, audit line, and the way to a backend."""
