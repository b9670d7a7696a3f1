"""What replicas sign for clients and for each other."""
