"""Stories of hubs, told with and without faults, and the table of how they ended."""
