"""Whether something that hung up on plain text would have spoken TLS.

A server that demands TLS just closes a plain connection, as one does that is ending.
Only an attempt tells them apart, and an operator from a missing `s` in an address.
"""

import asyncio
import ssl
from urllib.parse import urlsplit

ATTEMPT_SECONDS = 2.0
PORTS = {"http": 80, "https": 443}


async def speaks_tls(url: str) -> bool:
    """Tell whether a TLS handshake with the address comes about; sends nothing else."""
    parts = urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(ATTEMPT_SECONDS):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or PORTS[parts.scheme], ssl=context
            )
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True
