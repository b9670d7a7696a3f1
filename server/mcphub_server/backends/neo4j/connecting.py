"""How the driver is made from configuration and secrets.

The pool is bounded and everything that waits has a limit. Telemetry is off, and so is
every word of the driver about the server's notifications, which repeat the caller's
statements. The server is not asked to leave them out, because Neo4j 4.4 refuses that.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import neo4j
from neo4j.auth_management import AsyncAuthManager

from mcphub_server.config.backends import Neo4jConfig
from mcphub_server.config.secrets import BackendSecrets

CONNECT_TIMEOUT_SECONDS = 5.0
ACQUIRE_TIMEOUT_SECONDS = 8.0
POOL_SIZE = 20
CONNECTION_LIFETIME_SECONDS = 3600.0
LIVENESS_CHECK_SECONDS = 3.0
"""A restart takes longer, so no call meets a connection from before it."""

ReadSecrets = Callable[[], BackendSecrets]


class FileCredentials(AsyncAuthManager):
    """Gives the driver what the secret files hold now, and knows what it gave.

    The driver's own managers keep credentials until they are refused once more.
    """

    def __init__(self, read_secrets: ReadSecrets) -> None:
        self._read_secrets = read_secrets
        self.given: BackendSecrets | None = None

    async def get_auth(self) -> neo4j.Auth | None:
        """Return the login for a connection that is about to be used."""
        self.given = await asyncio.to_thread(self._read_secrets)
        return build_auth(self.given)

    async def handle_security_exception(self, auth: object, error: Exception) -> bool:  # noqa: ARG002
        """Trying again with the same files would only lock the user out."""
        return False


def build_driver(
    config: Neo4jConfig, secrets: BackendSecrets, credentials: FileCredentials
) -> neo4j.AsyncDriver:
    """Make a driver; it connects at the first use.

    Raises:
        ValueError: The port of the address is invalid.
        neo4j.exceptions.ConfigurationError: It has another part that is not taken.
    """
    # each failed probe would leave a record; what matters arrives as an exception
    logging.getLogger("neo4j").setLevel(logging.CRITICAL)
    address, options = build_address(config, secrets)
    return neo4j.AsyncGraphDatabase.driver(
        address,
        auth=credentials,
        max_connection_pool_size=POOL_SIZE + 1,  # one asks what runs (`orphans`)
        connection_timeout=CONNECT_TIMEOUT_SECONDS,
        connection_write_timeout=CONNECT_TIMEOUT_SECONDS,
        connection_acquisition_timeout=ACQUIRE_TIMEOUT_SECONDS,
        max_connection_lifetime=CONNECTION_LIFETIME_SECONDS,
        liveness_check_timeout=LIVENESS_CHECK_SECONDS,
        warn_notification_severity="OFF",
        telemetry_disabled=True,
        user_agent="mcphub",
        **options,
    )


def build_auth(secrets: BackendSecrets) -> neo4j.Auth | None:
    """Return the login; None without credentials (a database without logins)."""
    if secrets.username is None or secrets.password is None:
        return None
    return neo4j.basic_auth(
        secrets.username.get_secret_value(), secrets.password.get_secret_value()
    )


def build_address(
    config: Neo4jConfig, secrets: BackendSecrets
) -> tuple[str, dict[str, Any]]:
    """Return the address and TLS options; an own authority needs the plain scheme.

    The driver refuses `trusted_certificates` beside neo4j+s://, which to it means
    the system's authorities.
    """
    parts = urlsplit(config.uri)
    _ = parts.port  # raises here, not at each connect
    if secrets.ca_path is None or not parts.scheme.endswith("+s"):
        return config.uri, {}
    plain = parts._replace(scheme=parts.scheme.removesuffix("+s"))
    trusted = neo4j.TrustCustomCAs(str(secrets.ca_path))
    return urlunsplit(plain), {"encrypted": True, "trusted_certificates": trusted}
