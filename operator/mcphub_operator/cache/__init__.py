"""What the watches last reported: reflectors and the caches that they fill."""
