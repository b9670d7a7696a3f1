"""Whether row level security binds the roles that callers get.

A superuser, a role with BYPASSRLS and the owner of a table whose policies are not
forced see every row, whatever the settings say. So a backend with `identity` is closed
while its login or any of its roles is one of these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_NAMED = 5

FIND_ROLES = """
SELECT q.name,
  r.oid IS NULL AS missing,
  coalesce(r.rolsuper, false) AS is_superuser,
  coalesce(r.rolbypassrls, false) AS bypasses,
  r.oid IS NOT NULL AND q.name <> session_user AND NOT CASE
    WHEN pg_catalog.current_setting('server_version_num')::int >= 160000
    THEN pg_catalog.pg_has_role(session_user, r.oid, 'SET')
    ELSE pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER') END AS unreachable,
  (SELECT pg_catalog.min(n.nspname || '.' || c.relname)
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE r.oid IS NOT NULL AND c.relkind IN ('r', 'p') AND c.relrowsecurity
       AND NOT c.relforcerowsecurity
       AND pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE')) AS owned
FROM (SELECT session_user::text UNION SELECT pg_catalog.unnest($1::text[])) AS q(name)
LEFT JOIN pg_catalog.pg_roles r ON r.rolname = q.name
ORDER BY 1"""

FIND_OPEN_RELATIONS = """
WITH RECURSIVE guarded(oid) AS (
  SELECT c.oid FROM pg_catalog.pg_class c
  WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity
  UNION
  SELECT n.oid FROM guarded g CROSS JOIN LATERAL (
    SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = g.oid
    UNION ALL
    SELECT w.ev_class FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid AND w.ev_class <> g.oid
    WHERE d.refobjid = g.oid
      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
      AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass) AS n(oid))
SELECT n.nspname || '.' || c.relname AS name, c.relkind IN ('v', 'm') AS is_view
FROM guarded g JOIN pg_catalog.pg_class c ON c.oid = g.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE (c.relkind = 'm' OR c.relkind IN ('r', 'p', 'f') AND NOT c.relrowsecurity
  OR c.relkind = 'v' AND NOT EXISTS (
    SELECT FROM pg_catalog.unnest(c.reloptions) AS o(text)
    WHERE o.text IN ('security_invoker=true', 'security_invoker=on',
                     'security_invoker=1', 'security_invoker=yes')))
  AND EXISTS (SELECT FROM pg_catalog.pg_roles r
    WHERE (r.rolname = session_user OR r.rolname = ANY ($1::text[]))
      AND pg_catalog.has_table_privilege(r.oid, c.oid, 'SELECT'))
ORDER BY 1"""
"""Views of tables with policies, and parts of such tables (partitions and children by
inheritance), that a caller can read without the policies."""


@dataclass(frozen=True, slots=True)
class RoleFindings:
    """What was found of the roles.

    Attributes:
        unsafe: Why callers may see foreign rows, and what mends it; empty: they do not.
        open_views: Views that show all rows, whoever asks.
        open_parts: Parts of tables with policies that have no policies themselves.
    """

    unsafe: str = ""
    open_views: tuple[str, ...] = ()
    open_parts: tuple[str, ...] = ()

    @property
    def warning(self) -> str:
        """A sentence on the views and one on the parts; empty without any."""
        views, parts = name_some(self.open_views), name_some(self.open_parts)
        sentences = (
            f"These views show the rows of every caller: {views}; recreate them "
            "WITH (security_invoker = true), or revoke SELECT on them."
            if views
            else "",
            f"These parts of tables with policies have none: {parts}; revoke SELECT "
            "on them, which their tables do not need."
            if parts
            else "",
        )
        return " ".join(filter(None, sentences))


def judge_roles(
    rows: Sequence[Mapping[str, Any]], relations: Sequence[Mapping[str, Any]]
) -> RoleFindings:
    """Return what the two queries found."""
    unsafe = next((text for row in rows if (text := describe_role(row))), "")
    views = tuple(each["name"] for each in relations if each["is_view"])
    parts = tuple(each["name"] for each in relations if not each["is_view"])
    return RoleFindings(unsafe, views, parts)


def name_some(relations: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = len(relations) - MOST_NAMED
    rest = f" and {more} more" if more > 0 else ""
    return ", ".join(relations[:MOST_NAMED]) + rest


def describe_role(row: Mapping[str, Any]) -> str:
    """Return why a role is unsafe and what mends it, or an empty text."""
    name = row["name"]
    if row["missing"]:
        return f"the role {name} does not exist; create it, or change identity.role"
    if row["is_superuser"]:
        return f"the role {name} is a superuser; use one with NOSUPERUSER"
    if row["bypasses"]:
        return f"the role {name} has BYPASSRLS; ALTER ROLE {name} NOBYPASSRLS"
    if row["owned"]:
        return (
            f"the role {name} owns {row['owned']}, whose policies are not forced; "
            f"ALTER TABLE {row['owned']} FORCE ROW LEVEL SECURITY"
        )
    if row["unreachable"]:
        return f"the login may not SET ROLE {name}; GRANT {name} to it"
    return ""
