"""Measures what a block of code costs of the processor, without garbage collections.

The collector runs in whichever thread allocates at the time, for half a second if the
heap is large. That cost belongs to everything that was allocated before, not to the
caller whose statement is being checked.
"""

import gc
import threading
import time
from collections.abc import Callable


class _ThreadCollections(threading.local):
    """What one thread has spent on collections; the interpreter has one collector."""

    began: float = 0.0
    seconds: float = 0.0


_collections = _ThreadCollections()


def _note_collection(phase: str, _info: dict[str, int]) -> None:
    if phase == "start":
        _collections.began = time.thread_time()
    else:
        _collections.seconds += time.thread_time() - _collections.began


gc.callbacks.append(_note_collection)


def start_cpu_clock() -> Callable[[], float]:
    """Return a function that returns this thread's CPU seconds since now."""
    began = time.thread_time() - _collections.seconds

    def read() -> float:
        return time.thread_time() - _collections.seconds - began

    return read
