"""What an administrator sets: the hub's YAML, the process's environment, secrets."""
