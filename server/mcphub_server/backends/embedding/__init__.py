"""An OpenAI-compatible endpoint that turns a text into a vector."""
