"""Parts of the cluster that fail, which no other test bears."""
