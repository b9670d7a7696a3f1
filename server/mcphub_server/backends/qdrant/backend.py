"""A Qdrant server whose collections are searched and described, never changed.

Only three requests exist here, all of which read. The collections that a hub may use
are checked by the guards before; listing filters by the same list.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from mcphub_server.backends.base import BackendState, Health, PoolUsage
from mcphub_server.backends.qdrant.bounded import answer_bounded
from mcphub_server.backends.qdrant.connecting import POOL_SIZE, build_client
from mcphub_server.backends.qdrant.embedding import EmbeddingClient
from mcphub_server.backends.qdrant.failures import (
    CLIENT_ERRORS,
    build_not_found,
    build_unavailable,
    translate_failure,
)
from mcphub_server.backends.qdrant.identity import (
    Condition,
    build_conditions,
    confine,
)
from mcphub_server.backends.qdrant.releases import check_release
from mcphub_server.backends.qdrant.rest import AsyncApis, models
from mcphub_server.backends.shares import WAIT_SECONDS, PoolShares
from mcphub_server.backends.tls import speaks_tls
from mcphub_server.config.backends import QdrantConfig
from mcphub_server.config.secrets import BackendSecrets, read_backend_secrets
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    LimitExceeded,
    QueryFailed,
    ToolFailure,
)
from mcphub_server.web.caller import current_client

PROBE_TIMEOUT_SECONDS = 3.0
GRACE_SECONDS = 2.0
FORBIDDEN = "403"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Search:
    """One search, checked by the guards.

    Attributes:
        collection: Where.
        query: A vector (dense, sparse or several) or the id of a point; None: any.
        using: The name of the vector, None for the unnamed one.
        condition: Qdrant's filter.
        limit: Most hits.
        with_payload: All, none, or the named fields of the payload.
        with_vectors: Whether hits carry their vectors.
        max_result_bytes: What the hits may have in the end.
    """

    collection: str
    query: object
    using: str | None
    condition: dict[str, Any] | None
    limit: int
    with_payload: bool | list[str]
    with_vectors: bool
    max_result_bytes: int


def build_backend(
    name: str, config: QdrantConfig, secrets_dir: Path
) -> "QdrantBackend":
    """Make a backend of this kind; it does not connect yet."""
    return QdrantBackend(name, config, secrets_dir)


class QdrantBackend:
    """One Qdrant server, connected at its first use."""

    kind = "qdrant"

    def __init__(self, name: str, config: QdrantConfig, secrets_dir: Path) -> None:
        self.name = name
        self.config = config
        self.endpoint = config.url
        self._secrets_dir = secrets_dir
        self._client: AsyncApis[Any] | None = None
        self.embedding = (
            EmbeddingClient(name, config.embedding, secrets_dir)
            if config.embedding.url
            else None
        )
        self._in_use = 0
        self.shares = PoolShares(name, POOL_SIZE)
        self._has_release = False

    async def open(self) -> None:
        """Make the client; nothing connects yet, and a probe tells what is wrong."""
        with suppress(BackendUnavailable):
            self._find_client()

    async def close(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
        if self.embedding is not None:
            await self.embedding.close()

    async def probe(self) -> Health:
        """List the collections within a few seconds; that needs a good key."""
        try:
            await self._ask(
                lambda client: client.collections_api.get_collections(),
                PROBE_TIMEOUT_SECONDS,
            )
            await self._check_release()
        except LimitExceeded as busy:
            return Health(BackendState.DEGRADED, BackendReason.TIMEOUT, str(busy))
        except BackendUnavailable as failure:
            self._has_release = False
            if failure.reason is BackendReason.UNSUPPORTED_VERSION:
                return Health(BackendState.UNREACHABLE, failure.reason, str(failure))
            reason = await self._look_closer(failure.reason)
            told = build_unavailable(self.name, reason)
            return Health(BackendState.UNREACHABLE, reason, str(told))
        except ToolFailure as failure:
            if isinstance(failure, QueryFailed) and failure.code is None:
                return Health(BackendState.CONNECTED)  # it has answered, somehow
            refused = isinstance(failure, QueryFailed) and failure.code == FORBIDDEN
            reason = BackendReason.BAD_CREDENTIALS if refused else BackendReason.ERROR
            told = build_unavailable(self.name, reason)
            return Health(BackendState.UNREACHABLE, reason, str(told))
        return Health(BackendState.CONNECTED)

    async def _check_release(self) -> None:
        """Ask for the release, once while the server stays; raise if it is too old."""
        if self._has_release:
            return
        with suppress(QueryFailed):  # a proxy may keep the answer for itself
            info = await self._ask(
                lambda client: client.service_api.root(), PROBE_TIMEOUT_SECONDS
            )
            check_release(self.name, info.version)
        self._has_release = True

    async def _look_closer(self, reason: BackendReason) -> BackendReason:
        """Find out whether a server that hung up demands TLS."""
        plain = self.config.url.startswith("http://")
        if reason is BackendReason.ERROR and plain and await speaks_tls(self.endpoint):
            return BackendReason.TLS_FAILURE
        return reason

    def pool_usage(self) -> PoolUsage | None:
        """Return how many connections are in use; idle ones httpx keeps quiet."""
        return PoolUsage(self._in_use, self._in_use, POOL_SIZE)

    async def list_collections(self, timeout_seconds: float) -> list[str]:
        """Return the names of the collections that this hub may use, sorted."""
        answer = await self._ask(
            lambda client: client.collections_api.get_collections(), timeout_seconds
        )
        allowed = self.config.collections
        found = answer.result.collections if answer.result else []
        return sorted(
            each.name for each in found if not allowed or each.name in allowed
        )

    async def describe_collection(
        self, collection: str, timeout_seconds: float
    ) -> Mapping[str, Any]:
        """Return what Qdrant tells about a collection, as it comes.

        The client's own model knows the words of one release only.
        """
        answer = await self._ask(
            lambda client: client.client.request(
                type_=dict[str, Any],
                method="GET",
                url="/collections/{collection_name}",
                path_params={"collection_name": collection},
            ),
            timeout_seconds,
        )
        found = answer.get("result")
        return found if isinstance(found, dict) else {}

    def identify(self) -> list[Condition] | None:
        """Return what the points of the current caller meet; None without `identity`.

        Raises:
            Forbidden: The caller's claims give no identity.
        """
        return build_conditions(self.config.identity, current_client().claims)

    async def search(
        self, search: Search, timeout_seconds: float
    ) -> list[models.ScoredPoint]:
        """Return the nearest points, best first; with `identity`, the caller's own.

        Raises:
            Forbidden: The caller's claims give no identity.
            QueryFailed: Qdrant refuses the search, or the point to search by is not one
                that the caller may find: the distances to it would describe it.
        """
        own = self.identify()
        if own is None:
            return await self._query(search, timeout_seconds)
        if isinstance(search.query, int | str):
            began = time.monotonic()
            await self._check_own(search, own, timeout_seconds)
            timeout_seconds -= time.monotonic() - began
        confined = replace(search, condition=confine(own, search.condition))
        return await self._query(confined, timeout_seconds)

    async def _check_own(
        self, search: Search, own: list[Condition], timeout_seconds: float
    ) -> None:
        """Look whether the caller may find the point that is searched by."""
        condition = confine(own, {"must": [{"has_id": [search.query]}]})
        point = replace(
            search,
            query=None,
            using=None,
            condition=condition,
            limit=1,
            with_payload=False,
            with_vectors=False,
        )
        if not await self._query(point, timeout_seconds):
            raise build_not_found()

    async def _query(
        self, search: Search, timeout_seconds: float
    ) -> list[models.ScoredPoint]:
        body = {
            "query": search.query,
            "using": search.using,
            "filter": search.condition,
            "limit": search.limit,
            "with_payload": search.with_payload,
            "with_vector": search.with_vectors,
        }
        given = {name: value for name, value in body.items() if value is not None}
        # as text, the client sends what the guards have checked and no more: its own
        # model would need seconds to refuse what they have let through
        request = msgspec.json.encode(given).decode()
        with answer_bounded(search.max_result_bytes):
            answer = await self._ask(
                lambda client: client.search_api.query_points(
                    collection_name=search.collection,
                    query_request=cast("models.QueryRequest", request),
                    timeout=max(1, int(timeout_seconds)),
                ),
                timeout_seconds + GRACE_SECONDS,
            )
        return answer.result.points if answer.result else []

    async def _ask(
        self,
        request: Callable[[AsyncApis[Any]], Awaitable[Result]],
        timeout_seconds: float,
    ) -> Result:
        client = self._find_client()
        async with self.shares.hold(WAIT_SECONDS):
            return await self._send(request(client), timeout_seconds)

    async def _send(self, request: Awaitable[Result], timeout_seconds: float) -> Result:
        self._in_use += 1
        try:
            async with asyncio.timeout(timeout_seconds):
                return await request
        except CLIENT_ERRORS as error:
            raise translate_failure(self.name, error) from None
        finally:
            self._in_use -= 1

    def _find_client(self) -> AsyncApis[Any]:
        """Return the client; a bad authority's certificate may be mended meanwhile."""
        if self._client is None:
            try:
                self._client = build_client(self.config, self._read_secrets)
            except (ssl.SSLError, OSError):
                raise build_unavailable(self.name, BackendReason.TLS_FAILURE) from None
        return self._client

    def _read_secrets(self) -> BackendSecrets:
        return read_backend_secrets(self._secrets_dir, self.name)
