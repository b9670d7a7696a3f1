"""Operators as real processes that start at once and can be killed.

A server process has imported everything and forks for each of them; they inherit
neither threads nor the event loop of a test.
"""

import asyncio
import multiprocessing
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.support.fault_matrix.operator_main"])


@asynccontextmanager
async def killable_operator(
    kubeconfig: str, namespace: str, log: Path, **settings: Any
) -> AsyncIterator[BaseProcess]:
    """Run an operator as a process until the block ends, then kill it."""
    from tests.support.fault_matrix.operator_main import operate  # noqa: PLC0415 - see above

    chosen = {
        "kubeconfig": kubeconfig,
        "namespaces": (namespace,),
        "lease_namespace": namespace,
        "leader_election": False,
        "http_port": 0,
        **settings,
    }
    process = CONTEXT.Process(target=operate, args=(chosen, str(log)), daemon=True)
    main = sys.modules["__main__"]
    file, spec = main.__dict__.pop("__file__", None), main.__spec__
    main.__spec__ = None
    try:
        # Without these the new process does not import the test runner again.
        process.start()
    finally:
        main.__spec__ = spec
        if file is not None:
            main.__file__ = file
    try:
        yield process
    finally:
        process.kill()
        await asyncio.to_thread(process.join)
        process.close()
