"""Which system tables a statement may not read.

Rights decide on a user's own tables; these hold credentials, the server's files and
settings, or what other callers sent, and a role with too many rights would hand
them to whoever can talk to the model. Tables of statistics and activity stay
readable: PostgreSQL shows each role only its own part of them. That part may be more
than the schemas of a hub, so a hub that has some does not read these either.
"""

REFUSED_CATALOGS = {
    **dict.fromkeys(
        (
            "pg_authid",
            "pg_shadow",
            "pg_user_mapping",
            "pg_user_mappings",
            "_pg_user_mappings",
            "user_mapping_options",
            "pg_foreign_server",
            "_pg_foreign_servers",
            "foreign_server_options",
            "pg_subscription",
        ),
        "holds credentials",
    ),
    **dict.fromkeys(
        (
            "pg_hba_file_rules",
            "pg_ident_file_mappings",
            "pg_file_settings",
            "pg_db_role_setting",
            "pg_config",
            "pg_stat_wal_receiver",
        ),
        "holds the server's configuration",
    ),
    **dict.fromkeys(
        ("pg_prepared_statements", "pg_cursors"), "holds what other callers sent"
    ),
    **dict.fromkeys(
        ("pg_statistic", "pg_statistic_ext_data", "pg_largeobject"),
        "holds rows of other tables",
    ),
    **dict.fromkeys(
        ("pg_backend_memory_contexts", "pg_shmem_allocations"),
        "holds the server's internals",
    ),
}

BEYOND_SCHEMAS = {
    **dict.fromkeys(
        ("pg_stats", "pg_stats_ext", "pg_stats_ext_exprs", "pg_sequences"),
        "holds values of every schema",
    ),
    **dict.fromkeys(
        (
            "pg_stat_activity",
            "pg_stat_statements",
            "pg_stat_monitor",
            "pg_store_plans",
            "pg_qualstats",
            "pg_stat_get_activity",
            "pg_stat_get_backend_activity",
        ),
        "holds statements on every schema",
    ),
}
"""Tables, views and functions of the catalog and of extensions that show more than
names and definitions, and why a hub with `schemas` does not read them."""

SYSTEM_SCHEMAS = frozenset({"pg_catalog", "information_schema"})


def find_refusal(schema: str | None, name: str) -> str | None:
    """Return why a table may not be read, or None."""
    if schema == "pg_toast":
        return "holds rows of other tables"
    if schema is None or schema in SYSTEM_SCHEMAS:
        return REFUSED_CATALOGS.get(name)
    return None
