"""Holding statements to what a database's users defined, as it is now.

The names are asked of the database within the statement's own transaction, so with its
search path, and kept for half a minute: a client cannot define any.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from mcphub_server.guards.sql import names, scope, user_defined_names
from mcphub_server.guards.sql.statement import SqlStatement, UserDefinedNames

KEPT_SECONDS = 30.0

Fetch = Callable[..., Awaitable[Sequence[Any]]]
"""Runs one of this project's own statements: its text and its arguments."""


class DatabaseNames:
    """What one database's users defined."""

    def __init__(self, schemas: Sequence[str] = ()) -> None:
        self._schemas = schemas
        self._defined = UserDefinedNames()
        self._until = float("-inf")

    async def check(self, fetch: Fetch, statement: SqlStatement) -> None:
        """Refuse a statement that would run a user's code or leave the schemas.

        Raises:
            Rejected: With this database's names, the statement is not known to read.
        """
        if time.monotonic() >= self._until:
            rows = await fetch(user_defined_names.QUERY)
            self._defined = user_defined_names.build_user_defined_names(rows)
            self._until = time.monotonic() + KEPT_SECONDS
        fields = names.check_names(statement.uses, self._defined)
        if fields:
            questions = names.build_questions(fields)
            names.check_answers(fields, await fetch(names.FIND_COLUMNS, *questions))
        if self._schemas:
            await self._check_scope(fetch, statement)

    async def _check_scope(self, fetch: Fetch, statement: SqlStatement) -> None:
        unqualified = scope.check_qualified(statement, self._schemas)
        if unqualified:
            found = await fetch(scope.FIND_SCHEMAS, unqualified)
            scope.check_found(found, self._schemas)
