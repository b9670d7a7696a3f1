"""Two tenants in one table under row level security, and what could break it."""

from tests.support.postgres import READER

TENANTS = ("acme", "globex")
CANARY = "canary-of-{tenant}"

TENANTS_SQL = f"""
CREATE SCHEMA desk;
CREATE TABLE desk.tickets (
  id integer PRIMARY KEY,
  tenant text NOT NULL,
  subject text NOT NULL,
  opened date NOT NULL,
  seen_at timestamptz NOT NULL,
  price numeric(10, 2) NOT NULL,
  urgent boolean NOT NULL
);
INSERT INTO desk.tickets
  SELECT n, CASE WHEN n % 2 = 0 THEN 'acme' ELSE 'globex' END,
    'canary-of-' || CASE WHEN n % 2 = 0 THEN 'acme' ELSE 'globex' END || ' ' || n,
    date '2026-01-01' + n, timestamptz '2026-01-01 00:00Z' + n * interval '1 hour',
    n * 1.5, n % 3 = 0
  FROM generate_series(1, 40) n;
CREATE FUNCTION desk.tenant() RETURNS text LANGUAGE sql STABLE
  AS $$ SELECT pg_catalog.current_setting('app.tenant', true) $$;
-- wrongly: what it returns depends on a setting
CREATE FUNCTION desk.frozen_tenant() RETURNS text LANGUAGE sql IMMUTABLE
  AS $$ SELECT pg_catalog.current_setting('app.tenant', true) $$;
CREATE TABLE desk.notes (id integer PRIMARY KEY, tenant text, body text);
INSERT INTO desk.notes SELECT id, tenant, subject FROM desk.tickets;
ALTER TABLE desk.tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE desk.notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tickets ON desk.tickets FOR SELECT USING (tenant = desk.tenant());
CREATE POLICY own_notes ON desk.notes FOR SELECT USING (tenant = desk.frozen_tenant());
CREATE VIEW desk.all_subjects AS SELECT subject FROM desk.tickets;
CREATE VIEW desk.own_subjects WITH (security_invoker = true)
  AS SELECT subject FROM desk.tickets;
CREATE FUNCTION desk.count_urgent(since date) RETURNS bigint LANGUAGE sql STABLE
  AS $$ SELECT pg_catalog.count(*) FROM desk.tickets
    WHERE urgent AND opened >= since $$;
CREATE FUNCTION desk.count_anything() RETURNS bigint LANGUAGE sql
  AS $$ SELECT pg_catalog.count(*) FROM desk.tickets $$;
CREATE ROLE analyst; CREATE ROLE support; CREATE ROLE bypasser BYPASSRLS;
CREATE ROLE stranger;
GRANT analyst, support TO {READER};
GRANT USAGE ON SCHEMA desk TO {READER}, analyst, support;
GRANT SELECT ON desk.tickets, desk.notes, desk.own_subjects TO {READER}, analyst;
GRANT SELECT ON desk.notes TO support;
ANALYZE desk.tickets; ANALYZE desk.notes;
"""  # noqa: S608 -- constants
