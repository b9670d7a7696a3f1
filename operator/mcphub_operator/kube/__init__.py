"""The API server's side of the operator: requests, watches, the lease."""
