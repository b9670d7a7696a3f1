"""What calls live through: real clients, a real cluster, fault after fault."""
