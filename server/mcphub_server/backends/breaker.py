"""A circuit breaker a backend: calls fail at once while the database is away.

The state machine is purgatory's; two things around it are ours. Only the health loop
may try an open circuit (purgatory lets every concurrent call through when half open),
so calls never queue behind a dead database. And a call whose client went away counts
neither as failure nor as success (purgatory's own wrapper would count one of both).
"""

from purgatory.domain.model import CLOSED, Context

from mcphub_server.errors import BackendReason, BackendUnavailable

FAILURES_TO_OPEN = 5
"""Consecutive ones."""


class Breaker:
    """The circuit of one backend."""

    def __init__(self, backend: str) -> None:
        self._backend = backend
        self._last: BackendUnavailable | None = None
        # no time to live: the health loop alone decides when to try again
        self._context = Context(backend, threshold=FAILURES_TO_OPEN, ttl=-1)

    @property
    def is_open(self) -> bool:
        """Tell whether calls are refused."""
        return self._context.state != CLOSED

    def check(self) -> None:
        """Refuse a call while the circuit is open; the message keeps the cause."""
        if not self.is_open:
            return
        cause = str(self._last) if self._last else f"{self._backend} is unavailable."
        error = BackendUnavailable(
            self._backend,
            BackendReason.CIRCUIT_OPEN,
            f"{cause} It is being checked every few seconds; calls are refused "
            "until it answers.",
        )
        error.retry_after_seconds = 5.0
        raise error

    def begin_probe(self) -> None:
        """Let the health loop's probe through an open circuit."""
        self._context.handle_new_request()

    def record_failure(self, error: BackendUnavailable) -> None:
        """Count a call or a probe that did not reach the database."""
        self._last = error
        self._context.handle_exception(error)
        self._context.messages.clear()

    def record_success(self) -> None:
        """Count a call or a probe that the database answered, however it did."""
        self._last = None
        self._context.handle_end_request()
        self._context.messages.clear()
