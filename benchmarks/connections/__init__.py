"""How many connections a hub holds, and what they cost."""
