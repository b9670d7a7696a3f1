"""How many records of a result are read, kept and left on the server."""

from collections.abc import AsyncIterator
from pathlib import Path

import neo4j
import pytest

from mcphub_server.backends.neo4j.backend import Neo4jBackend, Read, Records
from mcphub_server.backends.neo4j.metering import ByteMeter
from mcphub_server.config.backends import Neo4jConfig
from mcphub_server.errors import QueryFailed

BUDGET = 10_000
RECORD = 1_000


class Result:
    """A result that arrives record by record, as a connection's bytes."""

    def __init__(self, meter: ByteMeter, sizes: list[int]) -> None:
        self._meter = meter
        self._sizes = sizes

    def keys(self) -> tuple[str, ...]:
        return ("n",)

    async def __aiter__(self) -> AsyncIterator[neo4j.Record]:
        for number, size in enumerate(self._sizes):
            self._meter.add(size)
            yield neo4j.Record([("n", number)])


class Transaction:
    """Runs any statement with the same result; remembers that it was cut."""

    def __init__(self, result: Result) -> None:
        self._result = result
        self.is_cancelled = False

    async def run(self, _text: str, _parameters: dict[str, object]) -> Result:
        return self._result

    def cancel(self) -> None:
        self.is_cancelled = True


async def collect(
    sizes: list[int], offset: int, limit: int = 5
) -> tuple[Records, Transaction]:
    """Read one page of a result whose records have these sizes in bytes."""
    config = Neo4jConfig(uri="bolt://127.0.0.1:7687")
    backend = Neo4jBackend("graph", config, Path("nowhere"))
    meter = ByteMeter(BUDGET)
    transaction = Transaction(Result(meter, sizes))
    read = Read("RETURN 1", {}, offset, limit, 5.0, BUDGET)
    return await backend._collect(transaction, read, meter), transaction  # type: ignore[arg-type]


@pytest.mark.parametrize("offset", [0, 9, 10, 11, 5_000, 20_000])
async def test_a_deep_page_is_as_long_as_the_first(offset: int) -> None:
    records, transaction = await collect([RECORD] * (offset + 20), offset)

    assert records.rows == [[offset + n] for n in range(5)]
    assert records.more
    assert not transaction.is_cancelled


async def test_the_last_page_tells_that_it_is_the_last() -> None:
    records, _ = await collect([RECORD] * 5_003, 5_000)

    assert len(records.rows) == 3
    assert not records.more


@pytest.mark.parametrize("offset", [0, 1_000])
async def test_a_page_ends_where_its_own_records_exceed_the_budget(offset: int) -> None:
    records, transaction = await collect([6_000] * (offset + 20), offset)

    assert records.rows == [[offset]]
    assert records.more
    assert transaction.is_cancelled


@pytest.mark.parametrize("offset", [0, 10])
async def test_one_record_beyond_the_budget_is_refused_even_if_skipped(
    offset: int,
) -> None:
    with pytest.raises(QueryFailed):
        await collect([RECORD] * 5 + [BUDGET + 1] + [RECORD] * 20, offset)
