"""The circuit of a backend: who may try it, what opens and closes it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from mcphub_server.backends.base import BackendState, Health, PoolUsage
from mcphub_server.backends.breaker import FAILURES_TO_OPEN
from mcphub_server.backends.health import BackendMonitor
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    ConfigError,
    LimitExceeded,
    QueryFailed,
)
from tests.support.waiting import wait_until

UP = Health(BackendState.CONNECTED)
DOWN = Health(BackendState.UNREACHABLE, BackendReason.BAD_CREDENTIALS, "bad password")


class FakeBackend:
    name = "orders"
    kind: str = "postgres"
    endpoint = "db:5432/orders"

    shares = None

    def __init__(self) -> None:
        self.health = UP
        self.probes = 0

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def probe(self) -> Health:
        self.probes += 1
        await asyncio.sleep(0)
        return self.health

    def pool_usage(self) -> PoolUsage | None:
        return None


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def changes() -> list[str]:
    return []


@pytest.fixture
def monitor(backend: FakeBackend, changes: list[str]) -> BackendMonitor:
    return BackendMonitor(
        backend,
        lambda: changes.append("changed"),
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
    )


def failing(error: Exception) -> Callable[[], Awaitable[None]]:
    async def call() -> None:
        raise error

    return call


LOST = BackendUnavailable("orders", BackendReason.ERROR, "orders is unavailable: lost.")


async def fail(monitor: BackendMonitor, times: int, error: Exception = LOST) -> None:
    for _ in range(times):
        with pytest.raises(type(error)):
            await monitor.call(failing(error))


async def test_failures_in_a_row_open_the_circuit(monitor: BackendMonitor) -> None:
    await fail(monitor, FAILURES_TO_OPEN)

    with pytest.raises(BackendUnavailable) as refused:
        await monitor.call(failing(AssertionError("must not run")))

    assert refused.value.reason is BackendReason.CIRCUIT_OPEN
    assert "lost" in str(refused.value)
    assert refused.value.retry_after_seconds is not None


async def test_what_the_caller_did_wrong_does_not_open_it(
    monitor: BackendMonitor,
) -> None:
    await fail(monitor, 20, QueryFailed("no such column"))

    assert not monitor.breaker.is_open


async def test_a_call_that_found_no_room_says_nothing_of_the_database(
    monitor: BackendMonitor,
) -> None:
    await fail(monitor, FAILURES_TO_OPEN - 1)
    await fail(monitor, 1, LimitExceeded("All connections are busy.", 1.0))
    await fail(monitor, 1)

    assert monitor.breaker.is_open


async def test_clients_that_hang_up_neither_open_nor_close_it(
    monitor: BackendMonitor,
) -> None:
    await fail(monitor, FAILURES_TO_OPEN - 1)
    with pytest.raises(asyncio.CancelledError):
        await monitor.call(failing(asyncio.CancelledError()))  # type: ignore[arg-type]
    half_way = monitor.breaker.is_open

    await fail(monitor, 1)

    assert not half_way
    assert monitor.breaker.is_open


async def test_one_probe_closes_an_open_circuit(
    monitor: BackendMonitor, backend: FakeBackend
) -> None:
    await fail(monitor, FAILURES_TO_OPEN)

    await monitor.check()

    assert not monitor.breaker.is_open
    assert backend.probes == 1


async def test_calls_are_refused_while_the_probe_is_under_way(
    monitor: BackendMonitor,
) -> None:
    await fail(monitor, FAILURES_TO_OPEN)
    probe = asyncio.create_task(monitor.check())
    await asyncio.sleep(0)

    with pytest.raises(BackendUnavailable):
        await monitor.call(failing(AssertionError("must not run")))

    await probe


async def test_a_failing_probe_leaves_it_open(
    monitor: BackendMonitor, backend: FakeBackend
) -> None:
    await fail(monitor, FAILURES_TO_OPEN)
    backend.health = DOWN

    await monitor.check()

    assert monitor.breaker.is_open


async def test_a_change_is_told_once(
    monitor: BackendMonitor, backend: FakeBackend, changes: list[str]
) -> None:
    for health in (UP, UP, DOWN, DOWN, UP):
        backend.health = health
        await monitor.check()

    assert len(changes) == 3


@pytest.mark.parametrize("fault", [KeyError("bug"), asyncio.CancelledError()])
async def test_a_fault_of_a_backend_is_an_unreachable_backend(
    monitor: BackendMonitor, backend: FakeBackend, fault: BaseException
) -> None:
    async def broken() -> Health:
        raise fault

    backend.probe = broken  # type: ignore[method-assign]

    health = await monitor.check()

    assert health.state is BackendState.UNREACHABLE


async def test_a_failed_call_hastens_the_next_probe(
    monitor: BackendMonitor, backend: FakeBackend
) -> None:
    watching = asyncio.create_task(monitor.watch(interval_seconds=60))
    await fail(monitor, 1)

    await wait_until(lambda: backend.probes == 2)

    watching.cancel()


async def test_a_secret_file_that_cannot_be_used_is_named(
    monitor: BackendMonitor, backend: FakeBackend
) -> None:
    problem = ConfigError("The secret file orders/password is no text.")

    async def probe() -> Health:
        raise problem

    backend.probe = probe  # type: ignore[method-assign]

    health = await monitor.check()

    assert health.reason is BackendReason.BAD_CREDENTIALS
    assert "orders/password" in health.message
    with pytest.raises(BackendUnavailable, match="orders/password"):
        await monitor.call(failing(problem))


async def test_watching_ends_though_a_driver_swallows_the_cancellation(
    monitor: BackendMonitor, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, cancelled = asyncio.Event(), asyncio.Event()

    async def probe() -> Health:
        asked.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        cancelled.set()
        return DOWN

    monkeypatch.setattr(backend, "probe", probe)
    watching = asyncio.create_task(monitor.watch())
    await asked.wait()

    watching.cancel()

    await cancelled.wait()
    done, _ = await asyncio.wait([watching], timeout=1)
    assert done == {watching}


async def test_a_refused_login_is_told_with_what_is_odd_about_its_secret() -> None:
    backend = FakeBackend()
    told = "orders is unavailable: user name or password is wrong."
    backend.health = Health(
        BackendState.UNREACHABLE, BackendReason.BAD_CREDENTIALS, told
    )
    odd = "The secret file orders/password is empty."
    monitor = BackendMonitor(backend, lambda: None, find_oddity=lambda: odd)

    health = await monitor.check()

    assert health.message == f"{told} {odd}"
