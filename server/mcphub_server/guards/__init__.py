"""The read-only guards: what may reach a database, decided before it does."""
