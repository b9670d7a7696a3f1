"""How requests reach the API server: its address, authority and the pod's token.

Kubernetes sets the two variables in every pod. The token is read for each request,
since the kubelet replaces it before it expires.
"""

import asyncio
import base64
import json
import os
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass

import httpx2

from mcphub_server.config.secrets import BackendSecrets
from mcphub_server.web.handshakes import close_cancelled_handshakes

TIMEOUT = httpx2.Timeout(45.0, connect=2.0)
POOL_SIZE = 10
LIMITS = httpx2.Limits(max_connections=POOL_SIZE, keepalive_expiry=30.0)

ReadSecrets = Callable[[], BackendSecrets]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the pod is to the API server; empty if the token does not say."""

    namespace: str = ""
    service_account: str = ""


class TokenAuth(httpx2.Auth):
    """Puts the token as it is now into each request."""

    def __init__(self, read_secrets: ReadSecrets) -> None:
        self._read_secrets = read_secrets

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Add the header."""
        token = (await asyncio.to_thread(self._read_secrets)).token
        if token is not None:
            request.headers["authorization"] = f"Bearer {token.get_secret_value()}"
        yield request


def find_address(environ: Mapping[str, str] = os.environ) -> str:
    """Return the URL of the API server."""
    host = environ.get("KUBERNETES_SERVICE_HOST", "kubernetes.default.svc")
    port = environ.get("KUBERNETES_SERVICE_PORT", "443")
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def build_client(address: str, read_secrets: ReadSecrets) -> httpx2.AsyncClient:
    """Make the client; it connects at the first use.

    Raises:
        OSError: The authority's certificate cannot be read (ssl.SSLError is one).
    """
    context = ssl.create_default_context(cafile=read_secrets().ca_path)
    transport = httpx2.AsyncHTTPTransport(
        verify=context, limits=LIMITS, trust_env=False
    )
    close_cancelled_handshakes(transport)
    return httpx2.AsyncClient(
        base_url=address,
        auth=TokenAuth(read_secrets),
        transport=transport,
        timeout=TIMEOUT,
        trust_env=False,
    )


def read_identity(secrets: BackendSecrets) -> Identity:
    """Return what the token says of the pod; only the API server verifies it."""
    if secrets.token is None:
        return Identity()
    try:
        body = secrets.token.get_secret_value().split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        found = claims["kubernetes.io"]
        return Identity(found["namespace"], found["serviceaccount"]["name"])
    except (IndexError, KeyError, TypeError, ValueError):
        return Identity()
