"""The event loop of tests that serve a hub in their own: the one that serves users."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop

FOLDER = Path(__file__).parent
OF_THE_OPERATOR = frozenset({"benchmarks", "cluster", "crd", "operator"})
"""What these test runs on asyncio's own loop."""


@pytest.hookimpl
def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Return the one loop that a test runs on."""
    folder = item.path.relative_to(FOLDER).parts[0]
    if folder in OF_THE_OPERATOR:
        return {"asyncio": asyncio.new_event_loop}
    return {"uvloop": make_uvloop}


def make_uvloop() -> asyncio.AbstractEventLoop:
    """Make a loop of uvloop that a test's time limit ends.

    What a signal handler raises, uvloop hands to its exception handler and goes on.
    """
    loop = uvloop.new_event_loop()
    loop.set_exception_handler(_end_at_the_limit)
    return loop


def _end_at_the_limit(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    limit = context.get("exception")
    if not isinstance(limit, pytest.fail.Exception):
        loop.default_exception_handler(context)
        return
    for task in asyncio.all_tasks(loop):
        task.cancel(str(limit))
