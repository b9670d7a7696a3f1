"""Names, kinds and selectors of Kubernetes, and what of an object may be shown."""
