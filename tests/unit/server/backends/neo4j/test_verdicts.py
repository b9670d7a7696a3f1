"""How long a statement counts as one that only reads."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mcphub_server.backends.neo4j import verdicts
from mcphub_server.backends.neo4j.backend import Neo4jBackend, Read
from mcphub_server.backends.neo4j.verdicts import ReadVerdicts
from mcphub_server.config.backends import Neo4jConfig
from mcphub_server.errors import Rejected


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_verdict_holds_for_its_text_and_type() -> None:
    known = ReadVerdicts(Clock())
    known.keep("RETURN 1", "r")

    assert known.has("RETURN 1", "r")
    assert not known.has("RETURN 1 ", "r")
    assert not known.has("RETURN 1", "s")


def test_a_verdict_ends() -> None:
    clock = Clock()
    known = ReadVerdicts(clock)
    known.keep("RETURN 1", "r")
    clock.now = verdicts.KEPT_SECONDS

    assert not known.has("RETURN 1", "r")


def test_long_statements_are_not_kept() -> None:
    known = ReadVerdicts(Clock())
    text = "RETURN " + "1" * verdicts.LONGEST
    known.keep(text, "r")

    assert not known.has(text, "r")


@dataclass
class Transaction:
    """Calls each statement of one type; counts what it explains."""

    query_type: str
    explained: list[str] = field(default_factory=list)

    async def run(self, text: str, _parameters: dict[str, object]) -> Any:
        self.explained.append(text)
        return self

    async def consume(self) -> Any:
        return self


@pytest.mark.parametrize(("query_type", "kept"), [("r", True), ("rw", False)])
def test_only_reads_are_kept(query_type: str, kept: bool) -> None:  # noqa: FBT001
    config = Neo4jConfig(uri="bolt://127.0.0.1:7687")
    backend = Neo4jBackend("graph", config, Path("nowhere"))
    read = Read("RETURN 1", {}, 0, 1, 5.0, 1000)
    transaction: Any = Transaction(query_type)
    try:
        asyncio.run(backend._check_is_read(transaction, read))
    except Rejected:
        assert not kept

    assert backend._verdicts.has("RETURN 1", "r") is kept
    assert transaction.explained == ["EXPLAIN RETURN 1"]
