"""ServerState that outlives one request: counting it, and ending it gently."""
