"""Which settings SHOW and current_setting may tell.

Only what helps to write or explain a query. A database's own settings may hold
anything, keys included, and are readable by every role: so no custom setting.
"""

HARMLESS_SETTINGS = frozenset(
    """
    application_name array_nulls autovacuum block_size bytea_output client_encoding
    constraint_exclusion cpu_index_tuple_cost cpu_operator_cost cpu_tuple_cost
    cursor_tuple_fraction datestyle deadlock_timeout default_statistics_target
    default_text_search_config default_transaction_deferrable
    default_transaction_isolation default_transaction_read_only effective_cache_size
    effective_io_concurrency enable_bitmapscan enable_gathermerge enable_hashagg
    enable_hashjoin enable_incremental_sort enable_indexonlyscan enable_indexscan
    enable_material enable_memoize enable_mergejoin enable_nestloop
    enable_parallel_append enable_parallel_hash enable_partition_pruning
    enable_partitionwise_aggregate enable_partitionwise_join enable_seqscan
    enable_sort enable_tidscan extra_float_digits from_collapse_limit geqo
    hash_mem_multiplier hnsw.ef_search hnsw.iterative_scan hnsw.max_scan_tuples
    idle_in_transaction_session_timeout in_hot_standby integer_datetimes intervalstyle
    is_superuser ivfflat.iterative_scan ivfflat.max_probes ivfflat.probes jit
    join_collapse_limit lc_collate lc_ctype lc_messages lc_monetary lc_numeric lc_time
    lock_timeout maintenance_work_mem max_connections max_identifier_length
    max_index_keys max_parallel_workers max_parallel_workers_per_gather
    max_stack_depth max_worker_processes parallel_setup_cost parallel_tuple_cost
    pg_trgm.similarity_threshold pg_trgm.strict_word_similarity_threshold
    pg_trgm.word_similarity_threshold plan_cache_mode random_page_cost role
    row_security search_path seq_page_cost server_encoding server_version
    server_version_num session_authorization shared_buffers
    standard_conforming_strings statement_timeout temp_buffers timezone
    timezone_abbreviations track_io_timing transaction_deferrable
    transaction_isolation transaction_read_only transaction_timeout wal_level work_mem
    xmlbinary xmloption
    """.split()
)


def is_harmless(setting: str) -> bool:
    """Say whether a setting may be told; names are case-insensitive."""
    return setting.lower() in HARMLESS_SETTINGS
