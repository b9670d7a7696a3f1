"""The program as kubectl runs it, on the API server of the whole run."""

import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.support.running_operator import World, open_world
from tools.cluster.apiserver import ApiAccess

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]

SECONDS = 100


@pytest.fixture
async def world(api_server: ApiAccess) -> AsyncIterator[World]:
    """A namespace of the test's own."""
    namespace = f"cli-{uuid.uuid4().hex[:8]}"
    async with open_world(str(api_server.kubeconfig), namespace) as opened:
        yield opened


@pytest.fixture
def run(api_server: ApiAccess, world: World) -> Run:
    """Run a command in the test's namespace; other variables win."""

    def run_command(*words: str, **variables: str) -> Done:
        folders = (str(api_server.kubectl.parent), str(Path(sys.executable).parent))
        environment = {
            **{k: v for k, v in os.environ.items() if k != "MCPHUB_TOKEN"},
            "PATH": ":".join((*folders, os.environ["PATH"])),
            "KUBECONFIG": str(api_server.kubeconfig),
            **variables,
        }
        return subprocess.run(
            ["kubectl", "mcphub", *words, f"--namespace={world.namespace}"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    return run_command
