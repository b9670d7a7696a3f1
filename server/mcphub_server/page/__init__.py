"""The page at `/` for people who open a hub in a browser; static, without data."""
