"""Watching one backend: what `/status` says of it, and when calls may be tried.

One loop a backend probes every few seconds, sooner after a call has failed. It is the
only one that tries an open circuit, so a database that comes back is found within one
interval, and by one connection.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

import structlog

from mcphub_server.backends.base import Backend, BackendState, Health
from mcphub_server.backends.breaker import Breaker
from mcphub_server.background import end_if_cancelled
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    ConfigError,
    LimitExceeded,
    ToolFailure,
)

PROBE_INTERVAL_SECONDS = 3.0
SHORTEST_INTERVAL_SECONDS = 0.5

log = structlog.get_logger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Observation:
    """How a backend is, and since when it has been so."""

    health: Health
    since: datetime


class BackendMonitor:
    """The health and the circuit of one backend."""

    def __init__(
        self,
        backend: Backend,
        on_change: Callable[[], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        find_oddity: Callable[[], str] = lambda: "",
    ) -> None:
        self.backend = backend
        self.breaker = Breaker(backend.name)
        self.observation = Observation(Health(BackendState.UNKNOWN), now())
        self._on_change = on_change
        self._now = now
        self._find_oddity = find_oddity
        self._wake = asyncio.Event()

    async def call(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """Run one call through the circuit; raise BackendUnavailable if it is open."""
        self.breaker.check()
        try:
            result = await call()
        except BackendUnavailable as error:
            self.breaker.record_failure(error)
            self._wake.set()
            raise
        except ConfigError as error:
            raise build_bad_secret(self.backend.name, error) from None
        except LimitExceeded:
            raise  # the database was not asked
        except ToolFailure:
            self.breaker.record_success()
            raise
        self.breaker.record_success()
        return result

    async def watch(self, interval_seconds: float = PROBE_INTERVAL_SECONDS) -> None:
        """Probe until cancelled; run it as a task."""
        while True:
            await self.check()
            end_if_cancelled()
            await asyncio.sleep(min(SHORTEST_INTERVAL_SECONDS, interval_seconds))
            try:
                async with asyncio.timeout(interval_seconds):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def check(self) -> Health:
        """Probe once, update the circuit, and report a change."""
        self.breaker.begin_probe()
        health = await self._probe()
        if health.state is BackendState.UNREACHABLE:
            reason = health.reason or BackendReason.ERROR
            self.breaker.record_failure(
                BackendUnavailable(self.backend.name, reason, health.message)
            )
        else:
            self.breaker.record_success()
        self._observe(health)
        return health

    async def _explain(self, health: Health) -> Health:
        """Add to a refused login what is odd about its files."""
        if health.reason is not BackendReason.BAD_CREDENTIALS:
            return health
        odd = await asyncio.to_thread(self._find_oddity)
        return replace(health, message=f"{health.message} {odd}") if odd else health

    async def _probe(self) -> Health:
        try:
            return await self._explain(await self.backend.probe())
        except ConfigError as error:
            bad = build_bad_secret(self.backend.name, error)
            return Health(BackendState.UNREACHABLE, bad.reason, str(bad))
        except asyncio.CancelledError:  # a driver's own would end the probes unseen
            end_if_cancelled()
            log.exception("probe cancelled by itself", backend=self.backend.name)
        except Exception:  # a fault in one backend must not end the others' server
            log.exception("probe failed unexpectedly", backend=self.backend.name)
        name = self.backend.name
        return Health(
            BackendState.UNREACHABLE,
            BackendReason.ERROR,
            f"{name} is unavailable: the server failed to check it.",
        )

    def _observe(self, health: Health) -> None:
        before = self.observation.health
        if health == before:
            return
        since = self._now() if health.state != before.state else self.observation.since
        self.observation = Observation(health, since)
        log.info(
            "backend state changed",
            backend=self.backend.name,
            state=health.state.value,
            reason=health.reason.value if health.reason else None,
            before=before.state.value,
        )
        self._on_change()


def build_bad_secret(backend: str, error: ConfigError) -> BackendUnavailable:
    """Return the failure of a backend whose secret file cannot be used."""
    return BackendUnavailable(
        backend, BackendReason.BAD_CREDENTIALS, f"{backend} is unavailable: {error}"
    )
