"""The cluster: requests to the API server that read, as the hub's ServiceAccount."""
