"""What a killable operator runs; imported before the fork, see `killable`."""

import asyncio
import os
import sys
from typing import Any

from mcphub_operator.runtime.logs import configure_logs
from mcphub_operator.runtime.process import run_operator
from mcphub_operator.settings import Settings


def operate(chosen: dict[str, Any], log: str) -> None:
    """Be an operator; the log goes into a file."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    settings = Settings(**chosen)
    configure_logs(settings)
    sys.exit(asyncio.run(run_operator(settings)))
