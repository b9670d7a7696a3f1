"""Which functions a statement may call, by name.

`known_names` comes from catalogs and from extensions' scripts; this module adds
extensions that the generator has no script of. A function in neither is refused,
because only its author knows what it does: a user-defined function may act outside the
transaction that protects the data.
"""

from mcphub_server.guards.sql.known_names import (
    CATALOG_FUNCTIONS,
    CATALOG_TYPES,
    EXTENSION_FUNCTIONS,
    REFUSED_CATALOG_FUNCTIONS,
    REFUSED_EXTENSION_FUNCTIONS,
)

TIMESCALE = frozenset(
    """
    approximate_row_count first histogram interpolate last locf time_bucket
    time_bucket_gapfill
    """.split()
)

# Named because a refusal that knows the name can say more, and because a refused
# function can hide as a field: ('/etc/passwd'::text).pg_read_file
REFUSED_ELSEWHERE = frozenset(
    """
    addgeometrycolumn connectby crosstab crosstab2 crosstab3 crosstab4 dblink
    dropgeometrycolumn dropgeometrytable http http_delete http_get http_head http_header
    http_list_curlopt http_patch http_post http_put http_reset_curlopt http_set_curlopt
    pgxml_encode plv8 updategeometrysrid xpath_table xslt_process
    """.split()
)

BUILT_IN = CATALOG_FUNCTIONS | CATALOG_TYPES
# PostGIS's casts are functions named text, json, path …; another schema's may be a
# user's, and PostgreSQL's own are written without a schema.
EXTENSIONS = (EXTENSION_FUNCTIONS | TIMESCALE) - CATALOG_TYPES
REFUSED = REFUSED_CATALOG_FUNCTIONS | REFUSED_EXTENSION_FUNCTIONS | REFUSED_ELSEWHERE

SYSTEM_PREFIXES = ("pg_", "lo_", "dblink", "binary_upgrade_", "postgres_fdw_", "http_")


COLUMN_PREFIXES = ("http_", "lo_")


def is_call_as_field(name: str) -> bool:
    """Say whether `(expression).name` is sure to be a call: no type has such a field.

    Fields called http_status or lo_revenue are plenty, so of those exact names count.
    """
    return is_system_name(name) and (
        name in REFUSED or not name.startswith(COLUMN_PREFIXES)
    )


def is_system_name(name: str) -> bool:
    """Say whether an unlisted name is sure to be a function and not a column."""
    return name in REFUSED or (
        name.startswith(SYSTEM_PREFIXES) and name not in BUILT_IN
    )
