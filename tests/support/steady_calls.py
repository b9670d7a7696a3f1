"""Clients that call a tool again and again while something else happens."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tools.quickstart.calls import call_tool


@dataclass(slots=True)
class CallLog:
    """What the calls of one client came to.

    Attributes:
        results: What was answered, in order.
        failures: What was raised instead.
    """

    results: list[object] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many calls have ended."""
        return len(self.results) + len(self.failures)

    def has_more_than(self, count: int) -> Callable[[], bool]:
        """Return a check that more calls have ended."""
        return lambda: self.count > count


@contextmanager
def steady_calls(
    url: str, token: str, tool: str, arguments: dict[str, object]
) -> Iterator[CallLog]:
    """Call a tool at `url`, each time as a new client, until the block ends."""
    log = CallLog()
    ended = threading.Event()

    def call() -> None:
        while not ended.is_set():
            try:
                log.results.append(call_tool(url, token, tool, arguments).result)
            except Exception as error:  # noqa: BLE001 -- clients raise anything
                log.failures.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield log
    finally:
        ended.set()
        thread.join()
