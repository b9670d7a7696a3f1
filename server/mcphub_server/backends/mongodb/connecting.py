"""How the client is made from configuration and secrets.

Everything that waits has a limit. The driver's log is off: at level debug it repeats
filters and documents.
"""

import logging
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient

from mcphub_server.config.backends import MongodbConfig
from mcphub_server.config.secrets import BackendSecrets

POOL_SIZE = 20
SELECT_TIMEOUT_MS = 1_500
"""How long to look for a member that can be read; a probe then finds out why not."""
CONNECT_TIMEOUT_MS = 2_000
WAIT_QUEUE_TIMEOUT_MS = 8_000

Client = AsyncMongoClient[RawBSONDocument]


def build_client(config: MongodbConfig, secrets: BackendSecrets) -> Client:
    """Make a client; it connects at the first use.

    Raises:
        pymongo.errors.PyMongoError: The address is malformed, or the certificate of
            the authority cannot be read.
        ValueError: The port of the address is invalid.
    """
    logging.getLogger("pymongo").setLevel(logging.CRITICAL)
    return AsyncMongoClient(
        config.uri,
        document_class=RawBSONDocument,
        maxPoolSize=POOL_SIZE,
        serverSelectionTimeoutMS=SELECT_TIMEOUT_MS,
        connectTimeoutMS=CONNECT_TIMEOUT_MS,
        waitQueueTimeoutMS=WAIT_QUEUE_TIMEOUT_MS,
        readPreference="secondaryPreferred",
        retryWrites=False,
        appname="mcphub",
        **build_login(config, secrets),
        **build_tls(config, secrets),
    )


def build_login(config: MongodbConfig, secrets: BackendSecrets) -> dict[str, Any]:
    """Return the login; empty without credentials (a server without logins)."""
    if secrets.username is None or secrets.password is None:
        return {}
    return {
        "username": secrets.username.get_secret_value(),
        "password": secrets.password.get_secret_value(),
        "authSource": config.auth_source,
    }


def build_tls(config: MongodbConfig, secrets: BackendSecrets) -> dict[str, Any]:
    """Return the options of TLS, which a mongodb+srv:// address always has."""
    if not uses_tls(config):
        return {"tls": False}
    if secrets.ca_path is None:
        return {"tls": True}
    return {"tls": True, "tlsCAFile": str(secrets.ca_path)}


def uses_tls(config: MongodbConfig) -> bool:
    """Tell whether connections are encrypted."""
    return config.tls.enabled or config.uri.startswith("mongodb+srv:")
