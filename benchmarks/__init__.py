"""What the hub server costs, as ratios to what the same work costs without it."""
