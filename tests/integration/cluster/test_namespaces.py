"""The processes of a node end with it, whatever their state."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.cluster.namespaces import ALL, enter, find_in_node, kill_inits

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")

PROGRAM = "sleep"
NODE = ("unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork")


@pytest.fixture
def init() -> Iterator[int]:
    """The first process of a node that runs nothing."""
    words = [*NODE, "--kill-child", "--mount-proc", "tail", "-f", "/dev/null"]
    with subprocess.Popen(words) as node:
        children = Path(f"/proc/{node.pid}/task/{node.pid}/children")
        until(children.read_text)
        yield int(children.read_text())
        node.kill()


def until(check: Callable[[], object]) -> None:
    """Wait for as long as pytest lets a test take."""
    while not check():
        time.sleep(0.01)


def has_state(pid: int, state: str) -> bool:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == state


def test_a_node_ends_although_a_program_was_stopped_and_continued(init: int):
    with subprocess.Popen([*enter(init, *ALL), PROGRAM, "1000"]) as parent:
        until(lambda: find_in_node(init, PROGRAM))
        (program,) = find_in_node(init, PROGRAM)
        os.kill(program, signal.SIGSTOP)
        until(lambda: has_state(parent.pid, "T"))
        os.kill(program, signal.SIGCONT)

        kill_inits([init])

        assert not find_in_node(init, PROGRAM)
        assert parent.wait() == -signal.SIGKILL
