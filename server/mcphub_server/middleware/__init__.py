"""What stands around every request: who asks, how often, and the record of it."""
