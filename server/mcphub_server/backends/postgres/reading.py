"""Running one checked statement: learn its columns, wrap it, fetch a page of it.

The guard sees the statement twice: by itself before anything is sent, and with the
names that this database's users defined once they are known. What comes back is cut
by the database, so neither a row of 200 MB nor a million rows travel.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import asyncpg

from mcphub_server.backends.postgres.backend import PostgresBackend
from mcphub_server.backends.postgres.bounded import LONGEST_MESSAGE_BYTES
from mcphub_server.backends.postgres.connecting import FIND_UNREADABLE, teach_types
from mcphub_server.backends.postgres.failures import (
    DRIVER_ERRORS,
    Attempt,
    translate_query_error,
)
from mcphub_server.backends.postgres.hints import find_hint
from mcphub_server.backends.postgres.names import Granted
from mcphub_server.backends.postgres.parameters import convert_parameters
from mcphub_server.errors import QueryFailed
from mcphub_server.guards.sql.bound import check_bound
from mcphub_server.guards.sql.statement import SqlStatement
from mcphub_server.guards.sql.wrap import ColumnType, Window, find_kinds, wrap
from mcphub_server.results.columns import ColumnKind
from mcphub_server.results.written import WrittenRows

WAIT_SECONDS = 3.0
"""How long a call waits for a connection of the pool."""

STALE = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
"""A table has changed since a statement on it was prepared; asyncpg has forgotten that
statement by then, but cannot repeat it in a transaction."""

UNREADABLE = (asyncpg.UnsupportedClientFeatureError,)
"""asyncpg knows no way to read a column's type."""

ROW_SHARE = 13
"""Pages of bytes that a row may have on its way: two of characters, of six bytes each
where JSON escapes them."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The rows of a page as they came.

    Attributes:
        columns: Their names.
        kinds: What each holds.
        rows: At most as many as asked for, or their JSON.
        more: There are further rows.
        max_cell_bytes: A cell that was cut has more characters than this.
    """

    columns: tuple[str, ...]
    kinds: tuple[ColumnKind, ...]
    rows: Sequence[Sequence[object]] | WrittenRows
    more: bool
    max_cell_bytes: int


class PostgresReader:
    """Runs statements on one database and keeps what it learned of its names."""

    def __init__(self, backend: PostgresBackend, statement_seconds: float) -> None:
        self.backend = backend
        self._seconds = statement_seconds

    async def fetch(
        self,
        statement: SqlStatement,
        window: Window,
        parameters: Sequence[object] = (),
        granted: Granted = frozenset(),
    ) -> Fetched:
        """Return a window of the statement's rows.

        Args:
            statement: What to run.
            window: Which rows.
            parameters: The values of its placeholders.
            granted: Functions that the administrator allows to it.

        Raises:
            Forbidden: The caller's claims give no identity in this database.
            BadArgument: The parameters are not those of the statement.
            Rejected: With this database's names, the statement is not known to read.
            QueryFailed: The database refused it, or it failed while it ran.
            QueryTimeout: It ran too long.
            BackendUnavailable: The database cannot be used.
        """
        try:
            return await self._fetch_again(statement, window, parameters, granted)
        except QueryFailed as failure:
            hint = await find_hint(self.fetch_own, statement, failure)
            if not hint:
                raise
            raise QueryFailed(f"{failure} {hint}", failure.code) from None

    async def check(
        self, statement: SqlStatement, count: int, granted: Granted = frozenset()
    ) -> None:
        """Have the database analyse a statement; nothing runs, and no caller matters.

        Raises:
            Rejected: With this database's names, the statement is not known to read.
            QueryFailed: The database refuses it, or counts other placeholders.
            BackendUnavailable: The database cannot be used.
        """
        async with self.backend.reading(self._seconds, WAIT_SECONDS) as session:
            names = self.backend.find_names(None)
            await names.check(partial(self._ask, session), statement, granted)
            prepared = await self._prepare(session, statement)
            found = len(prepared.get_parameters())
        if found != count:
            raise QueryFailed(
                f"The statement has {found} placeholders and {count} parameters."
            )

    async def _fetch_again(
        self,
        statement: SqlStatement,
        window: Window,
        parameters: Sequence[object],
        granted: Granted,
    ) -> Fetched:
        """Fetch, and once more if a table has changed since the last time."""
        with suppress(*STALE):
            return await self._fetch(statement, window, parameters, granted)
        try:
            return await self._fetch(statement, window, parameters, granted)
        except STALE as error:
            attempt = Attempt(self.backend.name, analysed=True)
            raise translate_query_error(attempt, error) from None

    async def _fetch(
        self,
        statement: SqlStatement,
        window: Window,
        parameters: Sequence[object],
        granted: Granted,
    ) -> Fetched:
        longest = max(LONGEST_MESSAGE_BYTES, ROW_SHARE * window.max_bytes)
        identity = self.backend.identify()
        if identity is not None:
            check_bound(statement)
        async with self.backend.reading(
            self._seconds, WAIT_SECONDS, longest, identity
        ) as session:
            names = self.backend.find_names(identity)
            await names.check(partial(self._ask, session), statement, granted)
            prepared = await self._prepare(session, statement)
            values = convert_parameters(prepared.get_parameters(), parameters)
            attributes = prepared.get_attributes()
            columns = tuple(attribute.name for attribute in attributes)
            types = [
                ColumnType(a.type.name, a.type.kind, a.type.schema) for a in attributes
            ]
            if not statement.columns_wrappable:
                found = await self._run(session, prepared.fetch(*values), analysed=True)
                rest = found[window.offset :]
                rows, more = rest[: window.limit], len(rest) > window.limit
                cap = window.cap_cells(len(columns))
                return Fetched(columns, find_kinds(types), rows, more, cap)
            encoding = find_encoding(session)
            wrapped = wrap(statement, types, window, encoding)
            found = session.fetch(wrapped.sql, *values)
            records = await self._run(session, found, analysed=True)
            rows, more = wrapped.split_page(records, window.limit)
            return Fetched(columns, wrapped.kinds, rows, more, wrapped.max_cell_bytes)

    async def _prepare(self, session: Any, statement: SqlStatement) -> Any:
        """Learn a statement's columns; teach the connection the types it lacks."""
        asked = session.prepare(statement.text)
        try:
            return await self._run(session, asked, analysed=False, passed=UNREADABLE)
        except UNREADABLE:
            teach_types(session, await self._ask(session, FIND_UNREADABLE))
        asked = session.prepare(statement.text)
        return await self._run(session, asked, analysed=False)

    @asynccontextmanager
    async def checked(
        self, statement: SqlStatement
    ) -> AsyncIterator[tuple[Any, Callable[..., Awaitable[Sequence[Any]]]]]:
        """Lend a connection for statements of ours about one that a client wrote.

        Yields the connection, and what runs a statement on it.

        Raises:
            Rejected: With this database's names, the statement is not known to read.
        """
        identity = self.backend.identify()
        async with self.backend.reading(
            self._seconds, WAIT_SECONDS, identity=identity
        ) as session:
            ask = partial(self._ask, session)
            await self.backend.find_names(identity).check(ask, statement, frozenset())
            yield session, ask

    async def fetch_own(self, sql: str, *arguments: object) -> Sequence[Any]:
        """Return the rows of a statement of ours about the catalog."""
        async with self.backend.reading(
            self._seconds, WAIT_SECONDS, identity=self.backend.identify()
        ) as session:
            return await self._ask(session, sql, *arguments)

    async def _ask(self, session: Any, sql: str, *arguments: object) -> Sequence[Any]:
        rows: Sequence[Any] = await self._run(
            session, session.fetch(sql, *arguments), analysed=True
        )
        return rows

    async def _run(
        self,
        session: Any,
        awaitable: Any,
        *,
        analysed: bool,
        passed: tuple[type[Exception], ...] = (),
    ) -> Any:
        began = time.monotonic()
        try:
            return await awaitable
        except (*STALE, *passed):
            raise
        except DRIVER_ERRORS as error:
            if isinstance(error, TimeoutError):
                raise  # the deadline of the whole reading, told by the backend
            attempt = Attempt(
                self.backend.name,
                analysed=analysed,
                connection_lost=is_closed(session),
                elapsed_seconds=time.monotonic() - began,
                timeout_seconds=self._seconds,
            )
            raise translate_query_error(attempt, error) from None


def find_encoding(session: Any) -> str:
    """Return the database's encoding as the server has told it; empty if it has not.

    A pooler need not pass it on.
    """
    return str(getattr(session.get_settings(), "server_encoding", ""))


def is_closed(session: Any) -> bool:
    """Tell whether a pooled connection is gone; one that is has left the pool."""
    try:
        return bool(session.is_closed())
    except asyncpg.InterfaceError:
        return True
