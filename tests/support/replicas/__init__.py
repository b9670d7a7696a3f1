"""Several replicas of a hub as processes, behind a balancer that has no memory."""
