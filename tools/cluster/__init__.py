"""Real Kubernetes clusters for trials and tests, with or without Docker."""
