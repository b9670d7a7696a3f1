"""A PostgreSQL database behind a small lazy pool, always read, never written.

Every use is one transaction that begins READ ONLY and is rolled back whatever
happens; `default_transaction_read_only` alone would not do, a statement can switch
it off. The pool opens connections when needed and replaces broken ones, so a restart
of the database needs none of the hub.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import asyncpg

from mcphub_server.backends.base import BackendState, Health, PoolUsage
from mcphub_server.backends.orphans import Orphans
from mcphub_server.backends.postgres.bounded import (
    LONGEST_MESSAGE_BYTES,
    BoundedProtocol,
    allow_message,
    bound_messages,
)
from mcphub_server.backends.postgres.connecting import (
    CONNECT_TIMEOUT_SECONDS,
    build_connect_arguments,
    check_release,
    teach_anyarray,
)
from mcphub_server.backends.postgres.failures import (
    DRIVER_ERRORS,
    Login,
    translate_connect_error,
)
from mcphub_server.backends.postgres.identity import (
    Identity,
    build_identity,
    list_roles,
)
from mcphub_server.backends.postgres.names import DatabaseNames
from mcphub_server.backends.postgres.orphans import find_running
from mcphub_server.backends.postgres.roles import (
    FIND_OPEN_RELATIONS,
    FIND_ROLES,
    RoleFindings,
    judge_roles,
)
from mcphub_server.backends.shares import Lease, PoolShares, refuse_busy
from mcphub_server.config.backends import PostgresConfig
from mcphub_server.config.secrets import read_backend_secrets
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    Forbidden,
    LimitExceeded,
    QueryTimeout,
)
from mcphub_server.guards.sql.scope import build_search_path
from mcphub_server.guards.sql.session import build_begin
from mcphub_server.web.caller import current_client

PROBE_TIMEOUT_SECONDS = 3.0
ROLLBACK_TIMEOUT_SECONDS = 1.5
BEGIN_TIMEOUT_SECONDS = 2.0
ANSWER_GRACE_SECONDS = 1.0
"""How much later than its own timeout the server may answer before it counts as
hanging."""
IDLE_LIFETIME_SECONDS = 300.0

ROLES_KEPT_SECONDS = 15.0
"""How long what was found of the callers' roles holds."""

ROLES_GRACE_SECONDS = 15.0
"""How much longer calls believe it, while the health loop looks again."""

IDENTITY_REFUSED = (
    asyncpg.InvalidParameterValueError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedObjectError,
    asyncpg.InvalidNameError,
)
"""How PostgreSQL refuses a role or a setting."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A connection in its transaction, and the server's process behind it."""

    connection: Any
    process: int


def build_backend(
    name: str, config: PostgresConfig, secrets_dir: Path
) -> "PostgresBackend":
    """Make a backend of this kind; it does not connect yet."""
    return PostgresBackend(name, config, secrets_dir)


class PostgresBackend:
    """One database of a hub."""

    kind = "postgres"

    def __init__(self, name: str, config: PostgresConfig, secrets_dir: Path) -> None:
        self.name = name
        self.config = config
        self.endpoint = f"{config.host}:{config.port}/{config.database}"
        self._secrets_dir = secrets_dir
        self._login = Login(name, config.database, config.ssl_mode)
        self._search_path = build_search_path(config.schemas)
        self._pool: asyncpg.Pool | None = None
        self.shares = PoolShares(name, config.pool.max_size)
        self._orphans = Orphans(
            lambda processes: find_running(lambda: self._connect(None), processes),
            self.shares,
        )
        self._names: dict[str, DatabaseNames] = {}
        self._roles = RoleFindings()
        self._roles_until = float("-inf")

    async def open(self) -> None:
        """Make the pool; it connects at the first use."""
        self._pool = asyncpg.create_pool(
            min_size=0,
            max_size=self.config.pool.max_size,
            max_inactive_connection_lifetime=IDLE_LIFETIME_SECONDS,
            connect=self._connect,
            reset=leave_as_is,
        )
        await self._pool

    async def close(self) -> None:
        """Close the connections; those that are busy are cut."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    async def probe(self) -> Health:
        """Ask the server for one constant within three seconds."""
        try:
            async with (
                asyncio.timeout(PROBE_TIMEOUT_SECONDS),
                self.reading(PROBE_TIMEOUT_SECONDS, PROBE_TIMEOUT_SECONDS) as session,
            ):
                await session.fetchval("SELECT 1")
                await self._check_roles(session)
        except LimitExceeded as busy:
            return Health(BackendState.DEGRADED, BackendReason.TIMEOUT, str(busy))
        except BackendUnavailable as error:
            return Health(BackendState.UNREACHABLE, error.reason, str(error))
        except DRIVER_ERRORS as error:
            failure = translate_connect_error(self._login, error)
            return Health(BackendState.UNREACHABLE, failure.reason, str(failure))
        if self._roles.unsafe:
            message = f"{self.name} is closed to all callers: {self._roles.unsafe}."
            return Health(BackendState.DEGRADED, BackendReason.UNSAFE_ROLE, message)
        return Health(BackendState.CONNECTED, message=self._roles.warning)

    def identify(self) -> Identity | None:
        """Return who the current call is for; None without `identity`.

        Raises:
            Forbidden: The caller's claims give no identity.
        """
        return build_identity(self.config.identity, current_client().claims)

    def find_names(self, identity: Identity | None) -> DatabaseNames:
        """Return what is known of users' names; a role may have a schema of its own."""
        role = identity.role if identity is not None else ""
        if role not in self._names:
            self._names[role] = DatabaseNames(self.config.schemas)
        return self._names[role]

    async def _check_roles(self, session: Any) -> None:
        """Look at the roles that callers get, once in a while."""
        if self.config.identity is None or time.monotonic() < self._roles_until:
            return
        roles = list(list_roles(self.config.identity))
        found = await session.fetch(FIND_ROLES, roles)
        relations = await session.fetch(FIND_OPEN_RELATIONS, roles)
        self._roles = judge_roles(found, relations)
        self._roles_until = time.monotonic() + ROLES_KEPT_SECONDS

    async def _require_safe_roles(self) -> None:
        """Refuse calls for a caller while a role would see foreign rows."""
        if time.monotonic() >= self._roles_until + ROLES_GRACE_SECONDS:
            async with self.reading(
                PROBE_TIMEOUT_SECONDS, PROBE_TIMEOUT_SECONDS
            ) as session:
                await self._check_roles(session)
        if self._roles.unsafe:
            raise Forbidden(self._roles.unsafe)

    def pool_usage(self) -> PoolUsage | None:
        """Return how many connections there are."""
        if self._pool is None:
            return None
        size = self._pool.get_size()
        return PoolUsage(
            size, size - self._pool.get_idle_size(), self._pool.get_max_size()
        )

    @asynccontextmanager
    async def reading(
        self,
        statement_seconds: float,
        wait_seconds: float,
        longest_message_bytes: int = LONGEST_MESSAGE_BYTES,
        identity: Identity | None = None,
    ) -> AsyncIterator[Any]:
        """Lend a connection inside a read-only transaction that is rolled back.

        Args:
            statement_seconds: What the server gives each statement.
            wait_seconds: How long to wait for a free connection.
            longest_message_bytes: What one row may have; more cuts the connection.
            identity: Who the transaction is for.

        Raises:
            Forbidden: The database does not let the login act as this caller.
            BackendUnavailable: There is no connection to be had.
            LimitExceeded: All connections of the pool are busy.
            QueryTimeout: The server goes on with a statement that it cannot stop.
        """
        if identity is not None:
            await self._require_safe_roles()
        await self._orphans.release()
        async with self.shares.hold(wait_seconds) as lease:
            begun = await self._begin(statement_seconds, wait_seconds, identity)
            bounds = allow_message(begun.connection, longest_message_bytes)
            async with self._ending(begun, statement_seconds, lease, bounds):
                yield begun.connection

    @asynccontextmanager
    async def _ending(
        self,
        begun: Begun,
        statement_seconds: float,
        lease: Lease,
        bounds: BoundedProtocol | None,
    ) -> AsyncIterator[None]:
        """Give a connection back after the block, or cut it when its time is over."""
        connection, process = begun.connection, begun.process
        is_abandoned = False
        try:
            async with asyncio.timeout(statement_seconds + ANSWER_GRACE_SECONDS):
                yield
        except TimeoutError as error:
            # the server's own timeout has not come through: the statement looks at no
            # clock, or the server hangs, or the way to it
            connection.terminate()
            if await self._orphans.take(process, lease):
                raise refuse_unstoppable(statement_seconds) from None
            raise translate_connect_error(self._login, error) from None
        except asyncio.CancelledError:
            is_abandoned = True
            raise
        finally:
            is_over = await self._give_back(connection)
            is_abandoned |= bounds is not None and bounds.has_refused
            if is_abandoned and not is_over:
                await self._orphans.take_abandoned(process, lease)

    async def _begin(
        self, statement_seconds: float, wait_seconds: float, identity: Identity | None
    ) -> Begun:
        """Return a connection in its transaction.

        After a restart of the database the pool still holds connections that are dead
        and do not know it; nothing has run on them, so the next one is tried.
        """
        problem = "it closes every connection at once"
        local = self._search_path + (identity.sql if identity is not None else "")
        for _ in range(self.config.pool.max_size + 1):
            connection = await self._acquire(wait_seconds)
            try:
                await begin(connection, statement_seconds, local)
                process = await find_process(connection, is_pooled=self.config.pooler)
            except TimeoutError as error:
                connection.terminate()
                await self._give_back(connection)
                raise translate_connect_error(self._login, error) from None
            except DRIVER_ERRORS as error:
                if identity is not None and isinstance(error, IDENTITY_REFUSED):
                    await self._give_back(connection)
                    cause = f"the database refuses the identity ({error.sqlstate})"
                    raise Forbidden(cause) from None
                if isinstance(error, asyncpg.PostgresError) and error.sqlstate:
                    problem = f"no read-only transaction begins ({error.sqlstate})"
                await self._give_back(connection)
            except BaseException:
                await self._give_back(connection)
                raise
            else:
                return Begun(connection, process)
        raise BackendUnavailable(
            self.name,
            BackendReason.ERROR,
            f"{self.name} is unavailable: {problem}.",
        )

    async def _acquire(self, wait_seconds: float) -> Any:
        if self._pool is None:
            raise BackendUnavailable(
                self.name, BackendReason.ERROR, f"{self.name} is closed."
            )
        try:
            return await self._pool.acquire(timeout=wait_seconds)
        except TimeoutError as error:
            usage = self.pool_usage()
            if usage is None or usage.in_use < usage.limit:
                raise translate_connect_error(self._login, error) from None
            raise refuse_busy(self.name, usage.limit) from None
        except DRIVER_ERRORS as error:
            raise translate_connect_error(self._login, error) from None

    async def _connect(self, _dsn: None, **pool_arguments: Any) -> Any:
        """Make a connection with the secrets as they are now."""
        secrets = read_backend_secrets(self._secrets_dir, self.name)
        arguments = build_connect_arguments(self.name, self.config, secrets)
        async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
            connection = await asyncpg.connect(**arguments, **pool_arguments)
        try:
            check_release(self.name, connection.get_server_version().major)
        except BackendUnavailable:
            connection.terminate()
            raise
        teach_anyarray(connection)
        bound_messages(connection)
        return connection

    async def _give_back(self, connection: Any) -> bool:
        """End the transaction even while the caller is being cancelled.

        A connection that does not let itself be rolled back is cut. One that was cut
        has left the pool already, and every use of it raises an InterfaceError.

        Returns:
            Whether the server has said that the transaction is over.
        """
        pool = self._pool
        is_ended = False
        if pool is None:
            return is_ended
        with anyio.CancelScope(shield=True):
            with suppress(*DRIVER_ERRORS):
                is_ended = await end(connection, is_ours=not self.config.pooler)
            with suppress(*DRIVER_ERRORS):
                await pool.release(connection, timeout=ROLLBACK_TIMEOUT_SECONDS)
        return is_ended


def refuse_unstoppable(seconds: float) -> QueryTimeout:
    """Say that a statement ran out of time and goes on all the same."""
    return QueryTimeout(
        f"The statement ran longer than {seconds:g} s, and the database cannot stop it"
        " yet; ask for less, with shorter values."
    )


async def leave_as_is(_connection: Any) -> None:
    """Reset nothing when the pool takes a connection back: `end` has done it."""


async def end(connection: Any, *, is_ours: bool) -> bool:
    """Roll back and reset the session in one round trip, or cut the connection.

    Behind a pooler there is no session of ours (`is_ours`): a RESET ALL would go to
    whichever server connection comes next.

    Returns:
        Whether the server has rolled back.
    """
    if connection.is_closed():
        return False
    reset = connection.get_reset_query() if is_ours else ""
    try:
        await connection.execute(f"ROLLBACK;{reset}", timeout=ROLLBACK_TIMEOUT_SECONDS)
    except DRIVER_ERRORS:
        connection.terminate()
        return False
    return True


async def begin(connection: Any, statement_seconds: float, local: str = "") -> None:
    """Begin the read-only transaction with its settings, in one round trip.

    Args:
        connection: Where to begin.
        statement_seconds: What the server gives each statement.
        local: Statements that set what else holds in this transaction.
    """
    await connection.execute(
        f"{build_begin(int(statement_seconds * 1000))}{local}",
        timeout=BEGIN_TIMEOUT_SECONDS,
    )


async def find_process(connection: Any, *, is_pooled: bool) -> int:
    """Return the server's process; a pooler names another one when it is connected."""
    if not is_pooled:
        return int(connection.get_server_pid())
    return int(
        await connection.fetchval(
            "SELECT pg_catalog.pg_backend_pid()", timeout=BEGIN_TIMEOUT_SECONDS
        )
    )
