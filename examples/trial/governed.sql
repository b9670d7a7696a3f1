-- The trial schema of examples/governed.yaml: tickets of two tenants under row level security.
-- docs/governed.md explains it. Run it as an administrator of the database.
CREATE SCHEMA desk;
CREATE TABLE desk.tickets (
  id       integer PRIMARY KEY,
  tenant   text NOT NULL,
  subject  text NOT NULL,
  priority text NOT NULL,
  opened   date NOT NULL,
  closed   date
);
INSERT INTO desk.tickets VALUES
  (1, 'acme',   'The printer is on fire', 'high',   '2026-02-01', NULL),
  (2, 'globex', 'No light in room 4',     'normal', '2026-02-02', NULL),
  (3, 'acme',   'New keyboard',           'low',    '2026-02-03', '2026-02-05');

ALTER TABLE desk.tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON desk.tickets FOR SELECT TO PUBLIC
  USING (tenant = current_setting('app.tenant', true));

CREATE ROLE desk_tenant;
CREATE ROLE desk_auditor;
CREATE POLICY everything ON desk.tickets FOR SELECT TO desk_auditor USING (true);
CREATE ROLE hub_reader LOGIN PASSWORD 'change-me';
GRANT desk_tenant, desk_auditor TO hub_reader;
-- The quickstart's database lets only the roles connect that are named.
DO $$ BEGIN
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO hub_reader', current_database());
END $$;
GRANT USAGE ON SCHEMA desk TO hub_reader, desk_tenant, desk_auditor;
GRANT SELECT ON desk.tickets TO hub_reader, desk_tenant, desk_auditor;
