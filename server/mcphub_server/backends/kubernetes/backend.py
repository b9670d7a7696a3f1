"""The cluster that the hub runs in: read with the rights of the pod's ServiceAccount.

Only GET requests exist here. What is not granted the API server refuses, and the hub
says which RoleBinding would grant it.
"""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from mcphub_server.backends.base import BackendState, Health, PoolUsage
from mcphub_server.backends.kubernetes.connecting import (
    POOL_SIZE,
    Identity,
    build_client,
    find_address,
    read_identity,
)
from mcphub_server.backends.kubernetes.failures import (
    CLIENT_ERRORS,
    FORBIDDEN,
    build_unavailable,
    translate_failure,
    translate_status,
)
from mcphub_server.config.backends import KubernetesConfig
from mcphub_server.config.secrets import BackendSecrets, read_backend_secrets
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    LimitExceeded,
    QueryFailed,
    ToolFailure,
)
from mcphub_server.guards.kubernetes.names import build_path

PROBE_TIMEOUT_SECONDS = 3.0
LARGEST_ANSWER_BYTES = 16 * 1024 * 1024
MOST_ITEMS = 500
ROLE = "mcphub-observer"
NODES_ROLE = "mcphub-observer-nodes"

Query = Mapping[str, str]
Object = dict[str, Any]


def build_backend(
    name: str, config: KubernetesConfig, secrets_dir: Path
) -> "KubernetesBackend":
    """Make a backend of this kind; it does not connect yet."""
    return KubernetesBackend(name, config, secrets_dir)


class KubernetesBackend:
    """The API server, connected at its first use."""

    kind = "kubernetes"
    shares = None

    def __init__(self, name: str, config: KubernetesConfig, secrets_dir: Path) -> None:
        self.name = name
        self.config = config
        self.endpoint = find_address()
        self._secrets_dir = secrets_dir
        self._client: httpx2.AsyncClient | None = None
        self._building = asyncio.Lock()
        self._in_use = 0

    async def open(self) -> None:
        """Do nothing: the client is made at the first use, and a probe is one."""

    async def close(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def probe(self) -> Health:
        """List a pod in each namespace, and a node, within a few seconds."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                namespaces = await self.list_namespaces()
                paths = [build_path("Pod", each) for each in namespaces]
                if self.config.nodes:
                    paths.append(build_path("Node"))
                tries = [self._try(each) for each in paths]
                refused = [each for each in await asyncio.gather(*tries) if each]
        except LimitExceeded as busy:
            return Health(BackendState.DEGRADED, BackendReason.TIMEOUT, str(busy))
        except BackendUnavailable as failure:
            return Health(BackendState.UNREACHABLE, failure.reason, str(failure))
        except (ToolFailure, TimeoutError):
            slow = build_unavailable(self.name, BackendReason.TIMEOUT)
            return Health(BackendState.UNREACHABLE, slow.reason, str(slow))
        if refused:
            return Health(BackendState.DEGRADED, BackendReason.FORBIDDEN, refused[0])
        return Health(BackendState.CONNECTED)

    async def _try(self, path: str) -> str:
        """Return why a collection cannot be read; empty if it can."""
        try:
            await self.read(path, {"limit": "1"})
        except QueryFailed as failure:
            if failure.code != str(FORBIDDEN):
                raise
            return str(failure)
        return ""

    def pool_usage(self) -> PoolUsage | None:
        """Return how many requests are running."""
        return PoolUsage(self._in_use, self._in_use, POOL_SIZE)

    async def list_namespaces(self) -> tuple[str, ...]:
        """Return the hub's namespaces; its own, which the token names, by default."""
        if self.config.namespaces:
            return self.config.namespaces
        own = (await self._find_identity()).namespace
        if not own:
            raise build_unavailable(self.name, BackendReason.BAD_CREDENTIALS)
        return (own,)

    async def list_objects(
        self, kind: str, namespace: str, query: Query
    ) -> tuple[list[Object], bool]:
        """Return a namespace's objects or the nodes, and whether there are more."""
        path = build_path(kind, namespace)
        found = await self.read(path, {**query, "limit": str(MOST_ITEMS)})
        items = found.get("items") or []
        return items, bool((found.get("metadata") or {}).get("continue"))

    async def read(self, path: str, query: Query) -> Object:
        """Return a JSON answer; errors as in `read_text`."""
        body = await self.read_text(path, query, LARGEST_ANSWER_BYTES)
        if len(body) > LARGEST_ANSWER_BYTES:
            raise QueryFailed(
                "The answer is larger than the hub takes. Name a namespace or a "
                "selector that fits fewer objects."
            )
        found: Object = msgspec.json.decode(body)
        return found

    async def read_text(self, path: str, query: Query, max_bytes: int) -> bytes:
        """Return an answer's body: all of it, or a little more than `max_bytes`.

        Raises:
            QueryFailed: RBAC does not let the hub read this (the message says how to
                grant it), or the API server refuses the request otherwise.
            BackendUnavailable: It cannot be reached.
        """
        client = await self._find_client()
        self._in_use += 1
        try:
            async with client.stream("GET", path, params=dict(query)) as response:
                body = await _read_body(response, max_bytes)
        except CLIENT_ERRORS as error:
            raise translate_failure(self.name, error) from None
        finally:
            self._in_use -= 1
        if response.status_code == FORBIDDEN:
            raise await self._build_forbidden(path)
        if response.is_error:
            raise translate_status(self.name, response.status_code, body)
        return body

    async def _build_forbidden(self, path: str) -> QueryFailed:
        """Name the namespace of a refused request, and the command that grants it."""
        namespace = path.partition("/namespaces/")[2].partition("/")[0]
        who = await self._find_identity()
        account = f"{who.namespace}:{who.service_account}"
        if not namespace:
            return QueryFailed(
                "The hub may not read the cluster's nodes. Its administrator allows it "
                f"by: kubectl create clusterrolebinding {NODES_ROLE}-{who.namespace}-"
                f"{who.service_account} --clusterrole={NODES_ROLE} "
                f"--serviceaccount={account}",
                str(FORBIDDEN),
            )
        return QueryFailed(
            f"The hub may not read the namespace {namespace}. Its owner allows it by: "
            f"kubectl create rolebinding {ROLE}-{who.namespace}-{who.service_account} "
            f"-n {namespace} --clusterrole={ROLE} --serviceaccount={account}",
            str(FORBIDDEN),
        )

    async def _find_identity(self) -> Identity:
        return read_identity(await asyncio.to_thread(self._read_secrets))

    async def _find_client(self) -> httpx2.AsyncClient:
        async with self._building:  # a second client would replace one that is in use
            if self._client is None:
                try:
                    self._client = await asyncio.to_thread(
                        build_client, self.endpoint, self._read_secrets
                    )
                except OSError:
                    reason = BackendReason.TLS_FAILURE
                    raise build_unavailable(self.name, reason) from None
            return self._client

    def _read_secrets(self) -> BackendSecrets:
        return read_backend_secrets(self._secrets_dir, self.name)


async def _read_body(response: httpx2.Response, max_bytes: int) -> bytes:
    """Read at most one chunk more than so many bytes."""
    body = bytearray()
    async with aclosing(response.aiter_bytes()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > max_bytes:
                break
    return bytes(body)
