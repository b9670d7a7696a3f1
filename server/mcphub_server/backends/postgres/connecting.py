"""How one connection to PostgreSQL is made, secrets and certificates included.

Everything is passed explicitly: asyncpg otherwise fills gaps from PGPASSWORD,
~/.pgpass or the operating system's user, and a hub must connect only with the
configured login.
"""

import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mcphub_server.config.backends import PostgresConfig, SslMode
from mcphub_server.config.secrets import BackendSecrets
from mcphub_server.errors import BackendReason, BackendUnavailable

CONNECT_TIMEOUT_SECONDS = 5.0

ANYARRAY = 2277
"""The type's number in every PostgreSQL: pg_type.dat."""

OLDEST_RELEASE = 12
"""It brought generated columns, of which the catalog is asked; 11 the setting `jit`."""

STATEMENTS_KEPT = 100
"""asyncpg's own default; a pooler in transaction mode allows none."""


def build_connect_arguments(
    name: str, config: PostgresConfig, secrets: BackendSecrets
) -> dict[str, Any]:
    """Return asyncpg's arguments; raise BackendUnavailable without a user name."""
    if secrets.username is None or secrets.password is None:
        missing = "username" if secrets.username is None else "password"
        raise BackendUnavailable(
            name,
            BackendReason.BAD_CREDENTIALS,
            f"{name} has no {missing}: the secret file {name}/{missing} is missing.",
        )
    if not secrets.username.get_secret_value():
        raise BackendUnavailable(
            name,
            BackendReason.BAD_CREDENTIALS,
            f"{name} has no username.",
        )
    return {
        "host": strip_brackets(config.host),
        "port": config.port,
        "database": config.database,
        "user": secrets.username.get_secret_value(),
        "password": secrets.password.get_secret_value(),
        "ssl": build_ssl(name, config.ssl_mode, secrets.ca_path),
        "timeout": CONNECT_TIMEOUT_SECONDS,
        "statement_cache_size": count_kept_statements(config),
        "server_settings": {"application_name": "mcphub"},
    }


def count_kept_statements(config: PostgresConfig) -> int:
    """Return how many prepared statements a connection may keep.

    None with `identity`: in a plan made for one caller, a policy's function that is
    wrongly marked IMMUTABLE is folded to that caller's value, for all that come after.
    """
    keeps = not config.pooler and config.identity is None
    return STATEMENTS_KEPT if keeps else 0


def check_release(name: str, release: int) -> None:
    """Raise BackendUnavailable for a server that is too old."""
    if release < OLDEST_RELEASE:
        raise BackendUnavailable(
            name,
            BackendReason.UNSUPPORTED_VERSION,
            f"{name} is unavailable: it is PostgreSQL {release}; {OLDEST_RELEASE} and "
            "newer work.",
        )


def strip_brackets(host: str) -> str:
    """Return an IPv6 address without the brackets that it has in a URL."""
    inner = host.removeprefix("[").removesuffix("]")
    return inner if ":" in inner and host == f"[{inner}]" else host


def teach_anyarray(connection: Any) -> None:
    """Let a connection read anyarray, the type of the catalog's sample values, as text.

    asyncpg finds no codec for it and gives up on the whole statement. Its
    `set_type_codec` takes no pseudo-type, hence the step below it.
    """
    settings = connection._protocol.get_settings()  # noqa: SLF001
    settings.add_python_codec(
        ANYARRAY, "anyarray", "pg_catalog", [], "scalar", str, str, "text"
    )


FIND_UNREADABLE = """
WITH RECURSIVE part AS (
  SELECT oid AS whole, typelem AS part FROM pg_catalog.pg_type
  WHERE typelem <> 0 AND typcategory = 'A'
  UNION ALL
  SELECT oid, typbasetype FROM pg_catalog.pg_type WHERE typbasetype <> 0
  UNION ALL
  SELECT rngtypid, rngsubtype FROM pg_catalog.pg_range
  UNION ALL
  SELECT c.reltype, a.atttypid
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  WHERE c.reltype <> 0 AND a.attnum > 0 AND NOT a.attisdropped
),
added AS (
  SELECT oid FROM pg_catalog.pg_type
  WHERE typtype = 'b' AND typcategory <> 'A' AND typarray <> 0
    AND typnamespace <> 'pg_catalog'::pg_catalog.regnamespace
  UNION
  SELECT part.whole FROM part JOIN added ON part.part = added.oid
)
SELECT t.oid AS type, t.typarray AS list, t.typname::text AS name,
  n.nspname::text AS schema,
  CASE t.typtype WHEN 'c' THEN 'composite' ELSE 'range' END AS kind
FROM added JOIN pg_catalog.pg_type t ON t.oid = added.oid
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype IN ('c', 'r')"""
"""Rows and ranges with a value of an extension's type inside, wherever they are."""


def teach_types(connection: Any, types: Iterable[Mapping[str, Any]]) -> None:
    """Let a connection describe rows and ranges of extensions' types, and their lists.

    asyncpg gives up on what contains a type that it reads as text, although all that is
    asked of it is the type's name: the database writes the values as JSON or text.
    """
    settings = connection._protocol.get_settings()  # noqa: SLF001
    for each in types:
        for number, kind in ((each["type"], each["kind"]), (each["list"], "array")):
            if number:
                settings.add_python_codec(
                    number, each["name"], each["schema"], [], kind, str, str, "text"
                )


def build_ssl(
    name: str, mode: SslMode, ca_path: Path | None
) -> ssl.SSLContext | str | bool:
    """Return what asyncpg's `ssl` argument needs for a libpq mode.

    As in libpq, `require` verifies the certificate if an authority is given.
    """
    if mode is SslMode.DISABLE:
        return False
    if mode in {SslMode.ALLOW, SslMode.PREFER}:
        return mode.value
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = mode is SslMode.VERIFY_FULL
    if mode is SslMode.REQUIRE and ca_path is None:
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        if ca_path is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(cafile=str(ca_path))
    except (OSError, ssl.SSLError):
        raise BackendUnavailable(
            name,
            BackendReason.TLS_FAILURE,
            f"{name}: the certificate authority in {name}/ca.crt cannot be read.",
        ) from None
    return context
