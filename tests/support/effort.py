"""Bounds on work, in units of what the machine at hand does just then.

What must stay cheap is compared with a loop of known cost that runs right after it on
the same processor: a slow or busy machine slows both.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

STEPS = 100_000


def measure_unit() -> float:
    """Return the processor's seconds of one unit: a few milliseconds."""
    started = time.process_time()
    total = 0
    for step in range(STEPS):
        total += step & 7
    return time.process_time() - started


@contextmanager
def at_most(units: float) -> Iterator[None]:
    """Fail if the block costs the processor more than so many units."""
    started = time.process_time()
    yield
    spent = time.process_time() - started
    allowed = units * measure_unit()
    assert spent <= allowed, f"cost {spent:.3f} s, allowed are {allowed:.3f} s"
