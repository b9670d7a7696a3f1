"""What a filter and a pipeline for MongoDB may contain."""
