"""Searching by text: the vector is made within the limits of the call it is for."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from pydantic import TypeAdapter

from mcphub_server.backends.breaker import FAILURES_TO_OPEN
from mcphub_server.backends.health import BackendMonitor
from mcphub_server.backends.qdrant.backend import QdrantBackend, Search
from mcphub_server.calls.backend_runner import LimitedRunner
from mcphub_server.config.backends import QdrantConfig
from mcphub_server.config.hub import LimitsConfig
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    BadArgument,
    QueryFailed,
    QueryTimeout,
    ToolFailure,
)
from mcphub_server.management.metrics import Metrics
from mcphub_server.results.cursors import CursorSigner
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.qdrant.toolset import QdrantTools, WithPayload
from tests.support.virtual_time import in_virtual_time, now

AWAY = BackendUnavailable("vectors", BackendReason.ERROR, "vectors is unavailable.")
NO_VECTOR = QueryFailed("The embedding endpoint answers with status 503.")


@dataclass
class FakeEmbedding:
    """Makes one vector; `working` is how many are made now."""

    failure: ToolFailure | None = None
    hanging: bool = False
    vector: list[float] = field(default_factory=lambda: [1.0, 0.0])
    asked: int = 0
    working: int = 0
    most_working: int = 0

    async def embed(self, _text: str) -> list[float]:
        self.asked += 1
        self.working += 1
        self.most_working = max(self.most_working, self.working)
        try:
            await (asyncio.Event().wait() if self.hanging else asyncio.sleep(0))
        finally:
            self.working -= 1
        if self.failure is not None:
            raise self.failure
        return self.vector


@dataclass
class FakeQdrant:
    """Answers each search with no hits, or fails."""

    name: str = "vectors"
    kind: str = "qdrant"
    endpoint: str = "http://qdrant:6333"
    config: QdrantConfig = field(
        default_factory=lambda: QdrantConfig(url="http://qdrant:6333")
    )
    embedding: FakeEmbedding | None = field(default_factory=FakeEmbedding)
    failure: ToolFailure | None = None
    searches: list[tuple[object, float]] = field(default_factory=list)

    def identify(self) -> None:
        return None

    async def search(self, search: Search, timeout_seconds: float) -> list[Any]:
        self.searches.append((search.query, timeout_seconds))
        if self.failure is not None:
            raise self.failure
        return []


class Stage:
    """The tools of one backend with the real limits and circuit around it."""

    def __init__(
        self, clock: Callable[[], float] = lambda: 0.0, timeout_seconds: int = 30
    ) -> None:
        self.qdrant = FakeQdrant()
        self.embedding = FakeEmbedding()
        self.qdrant.embedding = self.embedding
        backend = cast("QdrantBackend", self.qdrant)
        self.monitor = BackendMonitor(backend, lambda: None)
        limits = LimitsConfig(
            max_concurrent_calls=1, statement_timeout_seconds=timeout_seconds
        )
        context = ToolContext(
            limits=limits,
            cursors=CursorSigner(b"k" * 32),
            run=LimitedRunner(
                [self.monitor],
                limits.max_concurrent_calls,
                Metrics("0"),
            ),
            principal=lambda: "alice",
            note=lambda **_facts: None,
        )
        self.tools = QdrantTools(backend, context, clock)

    async def search(self, text: str = "cats") -> Any:
        return await self.tools.search("notes", query_text=text)

    async def fail(self, failure: type[ToolFailure]) -> None:
        with pytest.raises(failure):
            await self.search()


async def test_an_open_circuit_asks_for_no_vector() -> None:
    stage = Stage()
    for _ in range(FAILURES_TO_OPEN):
        stage.monitor.breaker.record_failure(AWAY)

    answers = await asyncio.gather(
        *(stage.search() for _ in range(15)), return_exceptions=True
    )

    assert {type(answer) for answer in answers} == {BackendUnavailable}
    assert stage.embedding.asked == 0


async def test_a_vector_is_made_in_the_calls_own_place() -> None:
    stage = Stage()

    await asyncio.gather(*(stage.search() for _ in range(5)))

    assert stage.embedding.most_working == 1
    assert [query for query, _ in stage.qdrant.searches] == [[1.0, 0.0]] * 5


async def test_vectors_that_fail_do_not_open_the_circuit() -> None:
    stage = Stage()
    stage.embedding.failure = NO_VECTOR

    for _ in range(2 * FAILURES_TO_OPEN):
        await stage.fail(QueryFailed)

    assert not stage.monitor.breaker.is_open


@pytest.mark.parametrize(
    "vector",
    [
        pytest.param(None, id="the endpoint fails"),
        pytest.param([float("nan")], id="it gives no numbers"),
    ],
)
async def test_nor_do_they_hide_that_the_database_is_away(
    vector: list[float] | None,
) -> None:
    stage = Stage()
    stage.qdrant.failure = AWAY
    for _ in range(FAILURES_TO_OPEN - 1):
        await stage.fail(BackendUnavailable)

    if vector is None:
        stage.embedding.failure = NO_VECTOR
    else:
        stage.embedding.vector = vector
    await stage.fail(ToolFailure)
    stage.embedding.failure, stage.embedding.vector = None, [1.0]
    await stage.fail(BackendUnavailable)

    assert stage.monitor.breaker.is_open


@in_virtual_time
async def test_a_vector_takes_no_longer_than_a_call_may() -> None:
    stage = Stage(now, timeout_seconds=30)
    stage.embedding.hanging = True

    await stage.fail(QueryTimeout)

    assert now() == pytest.approx(30)
    assert stage.embedding.working == 0


@pytest.mark.parametrize(
    ("begun", "ended", "left"),
    [
        pytest.param(10.0, 10.0, 30.0, id="a quick one"),
        pytest.param(10.0, 18.5, 21.5, id="a slow one"),
        pytest.param(10.0, 40.0, 1.0, id="one that leaves nothing"),
    ],
)
async def test_the_search_has_what_its_vector_left_of_the_time(
    begun: float, ended: float, left: float
) -> None:
    times = iter([begun, ended])
    stage = Stage(lambda: next(times))

    await stage.search()

    assert stage.qdrant.searches == [([1.0, 0.0], left)]


async def test_without_an_endpoint_a_text_is_refused_whatever_the_circuit_says() -> (
    None
):
    stage = Stage()
    stage.qdrant.embedding = None
    for _ in range(FAILURES_TO_OPEN):
        stage.monitor.breaker.record_failure(AWAY)

    await stage.fail(BadArgument)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        pytest.param("title, country.name", ["title", "country.name"], id="a list"),
        pytest.param("title", ["title"], id="one name"),
        pytest.param("unit price,", ["unit price"], id="a comma at the end"),
        pytest.param("False", False, id="a flag"),
        pytest.param(["a,b"], ["a,b"], id="names with commas, in a list"),
        pytest.param(True, True, id="a boolean"),
    ],
)
def test_the_fields_of_a_payload_may_come_as_one_text(
    given: object, read: object
) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(WithPayload)

    assert adapter.validate_python(given) == read
