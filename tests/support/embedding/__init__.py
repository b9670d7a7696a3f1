"""A double of an embedding endpoint: vectors by hashing, in OpenAI's REST shape."""
