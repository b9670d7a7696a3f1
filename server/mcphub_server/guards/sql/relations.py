"""Which system tables a statement may not read.

Rights decide on a user's own tables; these hold credentials, the server's files and
settings, or what other callers sent, and a role with too many rights would hand
them to whoever can talk to the model. Tables of statistics and activity stay
readable, but for the columns in `closed_columns`: PostgreSQL shows each role its own
part of them, and all clients of a hub share its role. A hub with `schemas` does not
read them at all.
"""

STATEMENT_LOGS = frozenset(
    {
        "citus_dist_stat_activity",
        "citus_lock_waits",
        "citus_stat_activity",
        "citus_stat_statements",
        "pg_qualstats",
        "pg_qualstats_by_query",
        "pg_show_plans",
        "pg_stat_kcache_detail",
        "pg_stat_monitor",
        "pg_store_plans",
        "powa_statements",
    }
)
"""Relations of extensions, in any schema, that keep statements or their constants."""

SECRET_STORES = frozenset({"decrypted_key", "decrypted_secrets", "http_request_queue"})
"""Relations of extensions, in any schema, that hold secrets: of pgsodium, of Supabase's
vault, and of pg_net, whose requests have tokens in their headers."""

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
            *SECRET_STORES,
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
    **dict.fromkeys(STATEMENT_LOGS, "holds what other clients asked"),
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
        ("pg_get_partition_constraintdef", "pg_get_partition_boundary"),
        "holds values of every schema's partitions",
    ),
    **dict.fromkeys(("pg_stat_activity", "pg_stat_statements"), "covers every schema"),
}
"""Tables, views and functions of the catalog and of extensions that show more than
names and definitions, and why a hub with `schemas` does not read them."""

ANY_SCHEMA = STATEMENT_LOGS | SECRET_STORES

SCHEDULED = frozenset({"job", "job_run_details"})
"""Tables of pg_cron's schema: its jobs' commands may hold passwords."""

SYSTEM_SCHEMAS = frozenset({"pg_catalog", "information_schema"})


def find_refusal(schema: str | None, name: str) -> str | None:
    """Return why a table may not be read, or None."""
    if schema == "pg_toast":
        return "holds rows of other tables"
    if schema == "cron" and name in SCHEDULED:
        return "holds the statements of scheduled jobs"
    if schema is None or schema in SYSTEM_SCHEMAS or name in ANY_SCHEMA:
        return REFUSED_CATALOGS.get(name)
    return None
