"""Which settings SHOW and current_setting may tell.

PostgreSQL's own that are numbers, switches or one of few words: they hold no secret,
and pg_settings shows them to every role. Of those that are texts, which may be a path,
a command or a password, only what helps to write or explain a query. A database's own
settings may hold anything, keys included, and are readable by every role: so no custom
setting.
"""

from mcphub_server.guards.sql.known_names import CATALOG_SETTINGS

HARMLESS_TEXTS = frozenset(
    """
    application_name client_encoding datestyle default_table_access_method
    default_text_search_config hnsw.ef_search hnsw.iterative_scan hnsw.max_scan_tuples
    is_superuser ivfflat.iterative_scan ivfflat.max_probes ivfflat.probes lc_collate
    lc_ctype lc_messages lc_monetary lc_numeric lc_time pg_trgm.similarity_threshold
    pg_trgm.strict_word_similarity_threshold pg_trgm.word_similarity_threshold role
    search_path server_encoding server_version session_authorization timezone
    timezone_abbreviations
    """.split()
)
"""Texts, and settings of extensions."""


def is_harmless(setting: str) -> bool:
    """Say whether a setting may be told; names are case-insensitive."""
    name = setting.lower()
    return name in CATALOG_SETTINGS or name in HARMLESS_TEXTS
