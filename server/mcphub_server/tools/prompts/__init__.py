"""The prompts that an administrator declares."""
