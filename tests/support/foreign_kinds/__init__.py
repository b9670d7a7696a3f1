"""The definitions of the kinds of others that examples use, from their Go modules."""
