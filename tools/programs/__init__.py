"""Go programs that checks and releases run, each from a pinned go.mod."""
