"""A Neo4j database that is read and never written.

Three layers below the grammar's allow-list: EXPLAIN must call the statement a pure
read (and is asked again after a minute), the session's access mode is READ (a server
refuses writes in it), and the transaction is always rolled back. The database is the
configured one; a statement cannot choose. A cancelled call closes its connection, which
ends its transaction on the server as soon as the statement looks; until then it keeps
its place (`orphans`).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import neo4j
from neo4j.exceptions import ConfigurationError, DriverError, Neo4jError

from mcphub_server.backends.base import BackendState, Health, PoolUsage
from mcphub_server.backends.neo4j.connecting import POOL_SIZE, build_driver
from mcphub_server.backends.neo4j.failures import (
    build_bad_address,
    build_unavailable,
    build_unstoppable,
    translate_failure,
)
from mcphub_server.backends.neo4j.lockout import LoginGate
from mcphub_server.backends.neo4j.metering import ByteMeter, metered
from mcphub_server.backends.neo4j.orphans import METADATA_KEY, Held, find_running
from mcphub_server.backends.neo4j.plans import PLAN_COLUMNS, walk_plan
from mcphub_server.backends.neo4j.verdicts import ReadVerdicts
from mcphub_server.backends.orphans import Orphans
from mcphub_server.backends.shares import WAIT_SECONDS, Lease, PoolShares
from mcphub_server.config.backends import Neo4jConfig
from mcphub_server.config.secrets import BackendSecrets, read_backend_secrets
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    BadArgument,
    LimitExceeded,
    Rejected,
    ToolFailure,
)

PROBE_TIMEOUT_SECONDS = 3.0
GRACE_SECONDS = 3.0
LARGEST_FETCH = 200
DRIVER_ERRORS = (DriverError, Neo4jError, OSError, TimeoutError)
PACKING_ERRORS = (OverflowError, ValueError, TypeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Read:
    """One statement and the bounds of its result.

    Attributes:
        text: The statement, already through the grammar's allow-list.
        parameters: Its parameters.
        offset: How many records to leave out.
        limit: How many records to return.
        timeout_seconds: What the server gives the transaction.
        record_bytes: What one record, and all that are returned, may take.
        query_type: What EXPLAIN has to call it.
    """

    text: str
    parameters: Mapping[str, object]
    offset: int
    limit: int
    timeout_seconds: float
    record_bytes: int
    query_type: str = "r"


@dataclass(frozen=True, slots=True)
class Records:
    """The driver's values; `more` tells that the statement has further records."""

    columns: tuple[str, ...]
    rows: list[list[object]]
    more: bool


def build_backend(name: str, config: Neo4jConfig, secrets_dir: Path) -> "Neo4jBackend":
    """Make a backend of this kind; it does not connect yet."""
    return Neo4jBackend(name, config, secrets_dir)


class Neo4jBackend:
    """One Neo4j database, connected at its first use."""

    kind = "neo4j"

    def __init__(self, name: str, config: Neo4jConfig, secrets_dir: Path) -> None:
        self.name = name
        self.config = config
        self.endpoint = config.uri
        self._secrets_dir = secrets_dir
        self._driver: neo4j.AsyncDriver | None = None
        self._has_bad_address = False
        self._gate = LoginGate(name, self._read_secrets)
        self._in_use = 0
        self._verdicts = ReadVerdicts()
        self.shares = PoolShares(name, POOL_SIZE)
        self._orphans = Orphans(
            lambda keys: find_running(self._driver, config.database, keys), self.shares
        )

    async def open(self) -> None:
        """Make the driver; nothing connects yet, and a probe tells what is wrong."""
        secrets = self._read_secrets()
        try:
            self._driver = build_driver(self.config, secrets, self._gate.credentials)
        except (ConfigurationError, ValueError):
            self._has_bad_address = True

    async def close(self) -> None:
        """Close every connection."""
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.close()

    async def probe(self) -> Health:
        """Run the smallest statement on the configured database."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                async with self._transaction(PROBE_TIMEOUT_SECONDS) as (_, transaction):
                    await (await transaction.run("RETURN 1")).consume()
        except BackendUnavailable as failure:
            return Health(BackendState.UNREACHABLE, failure.reason, str(failure))
        except LimitExceeded as busy:
            return Health(BackendState.DEGRADED, BackendReason.TIMEOUT, str(busy))
        except (ToolFailure, TimeoutError):
            slow = build_unavailable(self.name, BackendReason.TIMEOUT)
            return Health(BackendState.UNREACHABLE, slow.reason, str(slow))
        return Health(BackendState.CONNECTED)

    def pool_usage(self) -> PoolUsage | None:
        """Return how many connections are in use; idle ones the driver keeps quiet."""
        if self._driver is None:
            return None
        return PoolUsage(self._in_use, self._in_use, POOL_SIZE)

    async def read(self, read: Read) -> Records:
        """Run a statement that only reads.

        Raises:
            Rejected: EXPLAIN says that it does not only read.
            QueryFailed: The database refuses it, or a record is too large.
            QueryTimeout: It ran past its time.
            BackendUnavailable: The database cannot be used.
        """
        async with self._transaction(
            read.timeout_seconds, read.offset + read.limit + 1
        ) as (session, transaction):
            with metered(session, read.record_bytes) as meter:
                if not self._verdicts.has(read.text, read.query_type):
                    await self._check_is_read(transaction, read)
                meter.reset()
                return await self._collect(transaction, read, meter)

    async def explain(self, read: Read) -> Records:
        """Return the plan of a statement that only reads; errors as in `read`."""
        async with self._transaction(read.timeout_seconds) as (session, transaction):
            with metered(session, read.record_bytes):
                summary = await self._check_is_read(transaction, read)
        return Records(PLAN_COLUMNS, [*walk_plan(summary.plan)], more=False)

    async def _check_is_read(
        self, transaction: neo4j.AsyncTransaction, read: Read
    ) -> neo4j.ResultSummary:
        """Have the planner say what the statement does; nothing runs."""
        try:
            result = await self._run(transaction, f"EXPLAIN {read.text}", read)
            summary = await result.consume()
        except DRIVER_ERRORS as error:
            raise translate_failure(self.name, error, explaining=True) from None
        if summary.query_type != read.query_type:
            raise Rejected(
                "read-only/query-type",
                "the database says that this statement does more than read.",
                "Write a statement of MATCH, WITH, UNWIND and RETURN.",
            )
        self._verdicts.keep(read.text, read.query_type)
        return summary

    async def _run(
        self, transaction: neo4j.AsyncTransaction, text: str, read: Read
    ) -> neo4j.AsyncResult:
        """Send a statement with its parameters; raise BadArgument for one of those."""
        try:
            return await transaction.run(cast("Any", text), dict(read.parameters))
        except DRIVER_ERRORS:
            raise
        except PACKING_ERRORS:
            raise BadArgument(
                "A parameter has a value that Neo4j does not take: whole numbers have "
                "at most 64 bits, texts no half characters."
            ) from None

    async def _collect(
        self, transaction: neo4j.AsyncTransaction, read: Read, meter: ByteMeter
    ) -> Records:
        """Take records up to the limit and leave the rest on the server."""
        try:
            result = await self._run(transaction, read.text, read)
            rows: list[list[object]] = []
            index = size = 0
            async for record in result:
                received = meter.reset()
                index += 1
                if index <= read.offset:
                    # thrown away at once, so it counts for no page
                    continue
                size += received
                if len(rows) == read.limit:
                    return Records(tuple(result.keys()), rows, more=True)
                if rows and size > read.record_bytes:
                    # a rollback would first read the rest of the batch: hang up
                    transaction.cancel()
                    return Records(tuple(result.keys()), rows, more=True)
                # record[i] raises for what the driver cannot decode
                rows.append([*tuple.__iter__(record)])
            return Records(tuple(result.keys()), rows, more=False)
        except DRIVER_ERRORS as error:
            raise translate_failure(self.name, error) from None

    @asynccontextmanager
    async def _transaction(
        self, timeout_seconds: float, records: int = 1
    ) -> AsyncIterator[tuple[neo4j.AsyncSession, neo4j.AsyncTransaction]]:
        """Lend a read transaction; it is rolled back whatever happens."""
        if self._has_bad_address:
            raise build_bad_address(self.name)
        if self._driver is None:
            raise build_unavailable(self.name, BackendReason.ERROR)
        await self._gate.check()
        await self._orphans.release()
        held = Held()
        try:
            async with (
                self.shares.hold(WAIT_SECONDS) as lease,
                self._keeping(held, lease, timeout_seconds),
                asyncio.timeout(timeout_seconds + GRACE_SECONDS),
                self._driver.session(
                    database=self.config.database,
                    default_access_mode=neo4j.READ_ACCESS,
                    fetch_size=min(records, LARGEST_FETCH),
                ) as session,
                self._begin(session, timeout_seconds, held) as transaction,
            ):
                yield session, transaction
        except DRIVER_ERRORS as error:
            failure = translate_failure(self.name, error)
            self._gate.note(failure)
            raise failure from None

    @asynccontextmanager
    async def _keeping(
        self, held: Held, lease: Lease, timeout_seconds: float
    ) -> AsyncIterator[None]:
        """Keep the place of a transaction that was cut and goes on in the server."""
        try:
            yield
        except TimeoutError:
            if held.is_cut() and await self._orphans.take(held.key, lease):
                raise build_unstoppable(timeout_seconds) from None
            raise build_unavailable(self.name, BackendReason.TIMEOUT) from None
        except (*DRIVER_ERRORS, BackendUnavailable):
            raise  # the server is gone, and with it what it ran
        except BaseException:
            if held.is_cut():
                await self._orphans.take_abandoned(held.key, lease)
            raise
        if held.is_cut():
            await self._orphans.take_abandoned(held.key, lease)

    @asynccontextmanager
    async def _begin(
        self, session: neo4j.AsyncSession, timeout_seconds: float, held: Held
    ) -> AsyncIterator[neo4j.AsyncTransaction]:
        """Begin a transaction, and end it whatever happens."""
        transaction = await session.begin_transaction(
            {METADATA_KEY: held.name}, timeout=timeout_seconds
        )
        held.connection = session._connection  # noqa: SLF001 -- as in `metering`
        self._in_use += 1
        try:
            yield transaction
        except asyncio.CancelledError:
            transaction.cancel()
            raise
        except BaseException:
            await transaction.close()
            raise
        else:
            if not transaction.closed():
                await transaction.rollback()
        finally:
            self._in_use -= 1

    def _read_secrets(self) -> BackendSecrets:
        return read_backend_secrets(self._secrets_dir, self.name)
