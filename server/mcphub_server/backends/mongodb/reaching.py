"""Why no member of a deployment can be reached, found by an attempt of our own.

The driver's monitors drop the cause of an error and keep its text, which is no code.
"""

import asyncio
import ssl
from pathlib import Path

from mcphub_server.backends.mongodb.connecting import Client, uses_tls
from mcphub_server.backends.mongodb.failures import find_reason
from mcphub_server.backends.tls import speaks_tls
from mcphub_server.config.backends import MongodbConfig
from mcphub_server.errors import BackendReason

ATTEMPT_SECONDS = 1.2


async def find_member_reason(
    client: Client, config: MongodbConfig, ca_path: Path | None
) -> BackendReason:
    """Return what goes wrong on the way to the first member that the driver knows."""
    members = client.topology_description.server_descriptions()
    host, port = next(iter(members))
    encrypted = uses_tls(config)
    try:
        context = ssl.create_default_context(cafile=ca_path) if encrypted else None
        async with asyncio.timeout(ATTEMPT_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except ConnectionResetError:  # by a server that wanted no TLS, if any was tried
        return BackendReason.TLS_FAILURE if encrypted else BackendReason.ERROR
    except (OSError, TimeoutError) as error:
        return find_reason(error)
    writer.transport.abort()
    if not encrypted and await speaks_tls(f"https://{host}:{port}"):
        return BackendReason.TLS_FAILURE
    return BackendReason.ERROR
