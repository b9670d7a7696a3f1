"""The watch of McpHubs: all of kopf, and nothing else."""
