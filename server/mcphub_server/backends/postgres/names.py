"""Holding statements to what a database's users defined, as it is now.

The names are asked of the database within the statement's own transaction, so with its
search path, and kept for half a minute: a client cannot define any.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql import names, scope, user_defined_names
from mcphub_server.guards.sql.statement import (
    QualifiedName,
    SqlStatement,
    UserDefinedNames,
)

KEPT_SECONDS = 30.0
GRACE_SECONDS = 5.0
"""How much longer they count while a call asks for them again."""

Fetch = Callable[..., Awaitable[Sequence[Any]]]
"""Runs one of this project's own statements: its text and its arguments."""


Granted = AbstractSet[QualifiedName]

FIND_FUNCTIONS = """
SELECT n.nspname::text AS schema, p.proname::text AS name
FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]))
  AS u(schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = u.schema
JOIN pg_catalog.pg_proc p ON p.pronamespace = n.oid AND p.proname = u.name
WHERE p.provolatile = 'v' OR p.prosecdef OR p.prokind NOT IN ('f', 'w')"""
"""Allowed functions of which any overload may write, or acts as its owner."""


def check_functions(unsafe: Sequence[Mapping[str, Any]]) -> None:
    """Refuse allowed functions that do not keep to reading."""
    for row in unsafe:
        raise Rejected(
            "read-only/function",
            f"The allowed function {row['schema']}.{row['name']} is VOLATILE or "
            "SECURITY DEFINER.",
            "Declare every overload STABLE or IMMUTABLE, and SECURITY INVOKER.",
        )


class DatabaseNames:
    """What one database's users defined."""

    def __init__(
        self, schemas: Sequence[str] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._schemas = schemas
        self._clock = clock
        self._defined = UserDefinedNames()
        self._until = float("-inf")
        self._is_asking = False

    async def check(
        self, fetch: Fetch, statement: SqlStatement, granted: Granted = frozenset()
    ) -> None:
        """Refuse a statement that would run a user's code or leave the schemas.

        Args:
            fetch: How to ask the database.
            statement: What is to run.
            granted: Functions that the administrator allows to this statement.

        Raises:
            Rejected: With this database's names, the statement is not known to read.
        """
        await self._learn(fetch)
        called = sorted(granted & statement.uses.calls)
        if called:
            columns = [list(column) for column in zip(*called, strict=True)]
            check_functions(await fetch(FIND_FUNCTIONS, *columns))
        uses = replace(statement.uses, calls=statement.uses.calls - granted)
        fields = names.check_names(uses, self._defined)
        if fields:
            questions = names.build_questions(fields)
            names.check_answers(fields, await fetch(names.FIND_COLUMNS, *questions))
        if self._schemas:
            await self._check_scope(fetch, statement)

    async def _learn(self, fetch: Fetch) -> None:
        """Ask for the names once their time is over.

        One call asks; meanwhile others go by the old names, for a moment more.
        """
        now = self._clock()
        if now < self._until or (self._is_asking and now < self._until + GRACE_SECONDS):
            return
        self._is_asking = True
        try:
            rows = await fetch(user_defined_names.QUERY)
        finally:
            self._is_asking = False
        self._defined = user_defined_names.build_user_defined_names(rows)
        self._until = self._clock() + KEPT_SECONDS

    async def _check_scope(self, fetch: Fetch, statement: SqlStatement) -> None:
        unqualified = scope.check_qualified(statement, self._schemas)
        if unqualified:
            found = await fetch(scope.FIND_SCHEMAS, unqualified)
            scope.check_found(found, self._schemas)
