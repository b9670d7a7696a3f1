"""What a release consists of: manifests, chart, images, and the checks before it."""
