"""A PostgreSQL with problems, and with the extensions that find some of them."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.postgres import (
    READER,
    PostgresServer,
    ensure_extension,
    running_postgres,
)

DATABASE = "sick"
SCHEMA = f"""
CREATE SCHEMA shop;
CREATE TABLE shop.customers (id int PRIMARY KEY, name text);
CREATE TABLE shop.orders (
  id int PRIMARY KEY, customer_id int REFERENCES shop.customers (id), placed date,
  note text) WITH (autovacuum_enabled = off);
CREATE TABLE shop.guessed (id int, word text) WITH (autovacuum_enabled = off);
INSERT INTO shop.customers SELECT n, 'c' || n FROM generate_series(1, 1000) n;
INSERT INTO shop.orders SELECT n, 1 + n % 1000, date '2026-01-01' + n % 300, 'x'
  FROM generate_series(1, 40000) n;
CREATE INDEX orders_by_day ON shop.orders (placed);
CREATE INDEX orders_by_day_again ON shop.orders (placed);
CREATE INDEX orders_by_note ON shop.orders (note);
ANALYZE shop.customers, shop.orders;
UPDATE shop.orders SET note = 'y' WHERE id <= 20000;
INSERT INTO shop.guessed SELECT n, 'w' FROM generate_series(1, 20000) n;
CREATE EXTENSION pg_stat_statements;
CREATE EXTENSION hypopg;
GRANT USAGE ON SCHEMA shop TO {READER};
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {READER};
"""  # noqa: S608 -- constants
SETTINGS = """
shared_preload_libraries = 'pg_stat_statements'
max_prepared_transactions = 4
autovacuum = off
"""


@contextmanager
def running_sick_database() -> Iterator[PostgresServer]:
    """Run it until the block ends; the reader may see statistics of others."""
    ensure_extension("hypopg")
    with running_postgres(SETTINGS) as server:
        server.run_sql(f"CREATE DATABASE {DATABASE}")
        server.run_sql(SCHEMA, DATABASE)
        server.run_sql(
            "UPDATE pg_index SET indisvalid = false"
            " WHERE indexrelid = 'shop.orders_by_note'::regclass",
            DATABASE,
        )
        server.run_sql(f"GRANT pg_monitor TO {READER}")
        yield server
