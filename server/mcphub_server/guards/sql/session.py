"""The transaction that a checked statement runs in.

The guard reads a statement as a server with standard strings would: were they off, a
backslash could end a string that the guard still sees open. The other settings make
values print the same on every database, and end what waits. JIT is off because a
cancel request that comes while LLVM is loaded is lost: the query of a client that has
gone would run on until its timeout.
"""

LOCK_TIMEOUT_MS = 3_000
IDLE_MARGIN_MS = 15_000

SETTINGS = {
    "standard_conforming_strings": "on",
    "default_transaction_read_only": "on",
    # how values are written; of the date style, the order of day and month stays
    "datestyle": "'ISO'",
    "intervalstyle": "'postgres'",
    "bytea_output": "'hex'",
    "extra_float_digits": "1",
    "xmlbinary": "'base64'",
    "lc_monetary": "'C'",
    "lc_numeric": "'C'",
    "lc_time": "'C'",
    "quote_all_identifiers": "off",
    # what SQL means
    "xmloption": "'content'",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "row_security": "on",
    "gin_fuzzy_search_limit": "0",
    # what else is sent, and what ends the session
    "client_min_messages": "'error'",
    "exit_on_error": "off",
    "jit": "off",
}


def build_begin(statement_timeout_ms: int) -> str:
    """Return the statements that open the transaction, for one simple-protocol trip."""
    settings = {
        "statement_timeout": str(int(statement_timeout_ms)),
        "lock_timeout": str(min(LOCK_TIMEOUT_MS, int(statement_timeout_ms))),
        "idle_in_transaction_session_timeout": str(
            int(statement_timeout_ms) + IDLE_MARGIN_MS
        ),
        **SETTINGS,
    }
    local = (f"SET LOCAL {name} = {value}" for name, value in settings.items())
    return "; ".join(["BEGIN READ ONLY", *local])
