"""A MongoDB database that is read and never written.

Only six commands exist here (find, aggregate, explain, listCollections, listIndexes,
count), all of which read, and the guards have seen every word of them. The database is
the configured one. Documents arrive as bytes and are counted before they are decoded. A
cancelled call closes its connection, upon which MongoDB ends the operation.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    ConfigurationError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from mcphub_server.backends.base import BackendState, Health, PoolUsage
from mcphub_server.backends.mongodb.connecting import POOL_SIZE, Client
from mcphub_server.backends.mongodb.failures import (
    DRIVER_ERRORS,
    build_bad_address,
    build_unavailable,
    translate_failure,
)
from mcphub_server.backends.mongodb.reaching import find_member_reason
from mcphub_server.backends.mongodb.sharing import SharedClient
from mcphub_server.config.backends import MongodbConfig
from mcphub_server.config.secrets import BackendSecrets, read_backend_secrets
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    LimitExceeded,
    QueryFailed,
    ToolFailure,
)

PROBE_TIMEOUT_SECONDS = 3.0
GRACE_SECONDS = 3.0
NOT_IMPLEMENTED = frozenset({"NotImplemented", "CommandNotSupported", "Location40324"})
NO_COMMAND = frozenset({"CommandNotFound", "CommandNotSupported"})
UNAUTHORIZED = "Unauthorized"
NOT_ON_VIEWS = 166

Collection = AsyncCollection[RawBSONDocument]
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one call may take.

    Attributes:
        limit: Most documents to return.
        max_bytes: What all that are returned may have as BSON; one is returned always.
        timeout_seconds: What the server gives the operation.
    """

    limit: int
    max_bytes: int
    timeout_seconds: float

    @property
    def timeout_ms(self) -> int:
        """`maxTimeMS`."""
        return int(self.timeout_seconds * 1000)


@dataclass(frozen=True, slots=True)
class Find:
    """One `find`, checked by the guards."""

    collection: str
    filter: Mapping[str, Any]
    projection: Mapping[str, Any] | None
    sort: Mapping[str, Any] | None
    skip: int


@dataclass(frozen=True, slots=True)
class Documents:
    """Documents as bytes; `more` tells that there are further ones."""

    documents: list[RawBSONDocument]
    more: bool


@dataclass(frozen=True, slots=True)
class CollectionFacts:
    """What the server tells about a collection, and a sample of its documents."""

    sample: list[RawBSONDocument]
    indexes: list[Document]
    count: int


def build_backend(
    name: str, config: MongodbConfig, secrets_dir: Path
) -> "MongodbBackend":
    """Make a backend of this kind; it does not connect yet."""
    return MongodbBackend(name, config, secrets_dir)


class MongodbBackend:
    """One MongoDB database, connected at its first use."""

    kind = "mongodb"
    shares = None

    def __init__(self, name: str, config: MongodbConfig, secrets_dir: Path) -> None:
        self.name = name
        self.config = config
        self.endpoint = config.uri
        self._secrets_dir = secrets_dir
        self._shared = SharedClient(config, self._read_secrets)

    async def open(self) -> None:
        """Do nothing: the client is made at the first use, and a probe is one."""

    async def close(self) -> None:
        """Close every connection."""
        await self._shared.close()

    async def probe(self) -> Health:
        """List the collections within a few seconds; that needs a good login."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                await self._refresh()
                await self.list_collections(PROBE_TIMEOUT_SECONDS)
        except LimitExceeded as busy:
            return Health(BackendState.DEGRADED, BackendReason.TIMEOUT, str(busy))
        except BackendUnavailable as failure:
            return Health(BackendState.UNREACHABLE, failure.reason, str(failure))
        except QueryFailed as failure:
            denied = failure.code == UNAUTHORIZED
            reason = BackendReason.ACCESS_DENIED if denied else BackendReason.ERROR
            return self._tell_unreachable(reason)
        except (ToolFailure, TimeoutError):
            return self._tell_unreachable(BackendReason.TIMEOUT)
        return Health(BackendState.CONNECTED)

    def _tell_unreachable(self, reason: BackendReason) -> Health:
        told = str(build_unavailable(self.name, reason))
        return Health(BackendState.UNREACHABLE, reason, told)

    def pool_usage(self) -> PoolUsage | None:
        """Return how many calls run; idle connections the driver keeps quiet."""
        return PoolUsage(self._shared.calls, self._shared.calls, POOL_SIZE)

    async def list_collections(self, timeout_seconds: float) -> list[Document]:
        """Return name and type of each collection that the user may read."""
        async with self._database(timeout_seconds) as database:
            cursor = await database.list_collections(
                nameOnly=True, authorizedCollections=True
            )
            return [dict(each) async for each in cursor]

    async def find(self, find: Find, bounds: Bounds) -> Documents:
        """Return the documents that match a filter."""
        async with self._database(bounds.timeout_seconds) as database:
            cursor = database[find.collection].find(
                dict(find.filter),
                dict(find.projection) if find.projection else None,
                sort=dict(find.sort) if find.sort else None,
                skip=find.skip,
                limit=bounds.limit + 1,
                max_time_ms=bounds.timeout_ms,
                allow_disk_use=False,
            )
            async with cursor:
                return await _collect(cursor, bounds)

    async def aggregate(
        self, collection: str, pipeline: list[Document], bounds: Bounds
    ) -> Documents:
        """Return what a pipeline makes of a collection."""
        async with self._database(bounds.timeout_seconds) as database:
            return await _aggregate(database[collection], pipeline, bounds)

    async def explain(
        self, collection: str, pipeline: list[Document], timeout_seconds: float
    ) -> None:
        """Have the server read a pipeline without running it, if it can."""
        command = {"aggregate": collection, "pipeline": pipeline, "cursor": {}}
        async with self._database(timeout_seconds) as database:
            try:
                await database.command(
                    "explain",
                    command,
                    verbosity="queryPlanner",
                    maxTimeMS=int(timeout_seconds * 1000),
                )
            except PyMongoError as error:
                failure = translate_failure(self.name, error)
                if getattr(failure, "code", None) not in NO_COMMAND:
                    raise

    async def describe(self, collection: str, bounds: Bounds) -> CollectionFacts:
        """Return a sample, the indexes and the estimated count of a collection."""
        async with self._database(bounds.timeout_seconds) as database:
            found = database[collection]
            return CollectionFacts(
                (await self._sample(found, bounds)).documents,
                await _list_indexes(found),
                await found.estimated_document_count(maxTimeMS=bounds.timeout_ms),
            )

    async def _sample(self, collection: Collection, bounds: Bounds) -> Documents:
        """Return documents at random; the first ones where the server cannot."""
        pipeline: list[Document] = [{"$sample": {"size": bounds.limit}}]
        try:
            return await _aggregate(collection, pipeline, bounds)
        except PyMongoError as error:
            failure = translate_failure(self.name, error)
            if getattr(failure, "code", None) not in NOT_IMPLEMENTED:
                raise
        return await _aggregate(collection, [{"$limit": bounds.limit}], bounds)

    @asynccontextmanager
    async def _database(
        self, timeout_seconds: float
    ) -> AsyncIterator[AsyncDatabase[RawBSONDocument]]:
        """Lend the database; all errors of the driver leave as this project's."""
        if not self._shared.is_open:
            await self._refresh()
        try:
            async with (
                asyncio.timeout(timeout_seconds + GRACE_SECONDS),
                self._shared.lend() as client,
            ):
                try:
                    yield client[self.config.database]
                except ServerSelectionTimeoutError:
                    raise await self._find_failure(client) from None
                except DRIVER_ERRORS as error:
                    raise translate_failure(self.name, error) from None
        except TimeoutError:
            raise build_unavailable(self.name, BackendReason.TIMEOUT) from None

    async def _find_failure(self, client: Client) -> BackendUnavailable:
        """Return why the driver found no member that can be read."""
        ca_path = (await asyncio.to_thread(self._read_secrets)).ca_path
        reason = await find_member_reason(client, self.config, ca_path)
        return build_unavailable(self.name, reason)

    async def _refresh(self) -> None:
        """Make a client for the secrets as they are now."""
        try:
            await self._shared.refresh()
        except (ConfigurationError, ValueError):
            raise build_bad_address(self.name) from None
        except (PyMongoError, OSError) as error:
            raise translate_failure(self.name, error) from None

    def _read_secrets(self) -> BackendSecrets:
        return read_backend_secrets(self._secrets_dir, self.name)


async def _list_indexes(collection: Collection) -> list[Document]:
    """Return the indexes of a collection; a view has none."""
    try:
        cursor = await collection.list_indexes()
        return [dict(each) async for each in cursor]
    except OperationFailure as error:
        if error.code != NOT_ON_VIEWS:
            raise
    return []


async def _aggregate(
    collection: Collection, pipeline: list[Document], bounds: Bounds
) -> Documents:
    cursor = await collection.aggregate(
        pipeline, maxTimeMS=bounds.timeout_ms, allowDiskUse=False
    )
    async with cursor:
        return await _collect(cursor, bounds)


async def _collect(cursor: AsyncIterable[RawBSONDocument], bounds: Bounds) -> Documents:
    """Take documents up to the bounds and leave the rest on the server."""
    found: list[RawBSONDocument] = []
    size = 0
    async for raw in cursor:
        size += len(raw.raw)
        if len(found) == bounds.limit or (found and size > bounds.max_bytes):
            return Documents(found, more=True)
        found.append(raw)
    return Documents(found, more=False)
