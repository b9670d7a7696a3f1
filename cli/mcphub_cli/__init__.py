"""`kubectl mcphub`: hubs as a user at a terminal sees and uses them."""
