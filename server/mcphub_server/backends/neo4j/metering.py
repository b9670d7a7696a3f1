"""Bounds what one record may take in memory, on the wire, before it is decoded.

A row limit does not help against `RETURN range(1, 100000000)`: that is one record,
and the driver would read all of it. Neo4j has no server-side bound on it and the
driver no setting, so the bytes are counted where its connection receives them. This
rests on one private attribute of the pinned driver (`AsyncSession._connection`) and
on the driver's treating an OSError from its socket as a broken connection, which it
then closes; a test against the real database watches both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import neo4j


class RecordTooLarge(OSError):
    """One record exceeds the budget; the connection is given up."""

    def __init__(self, budget_bytes: int) -> None:
        super().__init__("record too large")
        self.budget_bytes = budget_bytes


class ByteMeter:
    """Counts what arrives; refuses past the budget until it is reset."""

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self.count = 0

    def add(self, count: int) -> None:
        """Count bytes; raise RecordTooLarge past the budget."""
        self.count += count
        if self.count > self.budget_bytes:
            raise RecordTooLarge(self.budget_bytes)

    def reset(self) -> int:
        """Reset the counter and return its value."""
        count, self.count = self.count, 0
        return count


@contextmanager
def metered(session: neo4j.AsyncSession, budget_bytes: int) -> Iterator[ByteMeter]:
    """Count what the session's open connection receives."""
    connection: Any = session._connection  # noqa: SLF001 -- see the module's docstring
    meter, transport = ByteMeter(budget_bytes), connection.socket
    receive = transport.recv_into

    async def receive_metered(buffer: memoryview, count: int) -> int:
        received: int = await receive(buffer, count)
        meter.add(received)
        return received

    transport.recv_into = receive_metered
    try:
        yield meter
    finally:
        del transport.recv_into
