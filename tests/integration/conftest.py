"""The event loop of tests that serve a hub in their own: the one that serves users."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

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
    return {"uvloop": uvloop.new_event_loop}
