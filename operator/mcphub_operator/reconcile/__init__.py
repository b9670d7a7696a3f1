"""The loop: from a key in the queue to children and a status that are right."""
