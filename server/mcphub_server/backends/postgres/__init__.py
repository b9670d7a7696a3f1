"""PostgreSQL: connecting, reading within a read-only transaction, and its errors."""
