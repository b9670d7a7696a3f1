"""HTTP sessions to the API server, with the credentials of wherever we run.

The official client reads the configuration (service account, kubeconfig, exec
plugins, token refresh); requests go through a bare aiohttp session, which costs a third
of the CPU of the client's own calls.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import (
    ConfigException,
    load_incluster_config,
    load_kube_config,
)

from mcphub_operator.errors import InvalidSettings

CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 0.25
POOL_SIZE = 32
"""The API server's limit is reached before; each connection takes 300 KiB here."""
NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class Connection:
    """Open sessions and what is needed to make a request on them."""

    session: aiohttp.ClientSession
    """Without a limit: for what must not wait, and for watches and pods, which stay."""
    pool: aiohttp.ClientSession
    """For the workers' requests, of which there may be a hundred at once."""
    configuration: Any
    in_cluster: bool

    @property
    def host(self) -> str:
        """Return the API server's URL without a slash at its end."""
        return str(self.configuration.host).rstrip("/")

    async def authorize(self) -> Mapping[str, str]:
        """Return the headers that prove who we are; tokens are refreshed."""
        settings = await self.configuration.auth_settings()
        token = settings.get("BearerToken")
        return {"Authorization": token["value"]} if token else {}


@asynccontextmanager
async def open_connection(kubeconfig: str) -> AsyncIterator[Connection]:
    """Open a session by a kubeconfig, the service account, or the user's default.

    Raises:
        InvalidSettings: there is no configuration, or it cannot be read.
    """
    configuration = Configuration()
    try:
        in_cluster = await _load(configuration, kubeconfig)
    except (ConfigException, OSError) as error:
        raise InvalidSettings(f"no way to reach a cluster: {error}") from error
    trust = build_ssl(configuration)
    async with _open(trust, 0) as session, _open(trust, POOL_SIZE) as pool:
        yield Connection(session, pool, configuration, in_cluster)
    await let_close()


async def let_close() -> None:
    """Let TLS connections say goodbye before the event loop ends.

    aiohttp begins to close them and does not wait (its "graceful shutdown").
    """
    await asyncio.sleep(CLOSE_SECONDS)


def _open(trust: ssl.SSLContext, limit: int) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=limit, ssl=trust)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
    return aiohttp.ClientSession(connector=connector, timeout=timeout)


async def _load(configuration: Any, kubeconfig: str) -> bool:
    if not kubeconfig and "KUBERNETES_SERVICE_HOST" in os.environ:
        load_incluster_config(client_configuration=configuration)
        return True
    await load_kube_config(
        config_file=kubeconfig or None, client_configuration=configuration
    )
    return False


def build_ssl(configuration: Any) -> ssl.SSLContext:
    """Return the TLS settings of a configuration.

    Python 3.13 refuses certificates without the identifiers that RFC 5280 wants;
    clusters in use have such, and Kubernetes' own clients take them
    (kubernetes-client/python#2394). Signature, validity and name are still checked.
    """
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def find_own_namespace() -> str:
    """Return the namespace of the service account; empty outside a cluster."""
    try:
        return NAMESPACE_FILE.read_text().strip()
    except OSError:
        return ""
