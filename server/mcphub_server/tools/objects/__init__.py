"""What the backends contain: search, resources and completion, for all kinds alike."""
